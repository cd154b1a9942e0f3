-- What is said to ClickPost once there is an AWB: an e-way bill that its courier has not been told, and a new pickup
-- where the label came too late for the first. Written before it is said; the queue only wakes who says it.
CREATE TABLE afterwards (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    turn_id bigint NOT NULL REFERENCES turns ON DELETE CASCADE, -- to whose courier
    kind text NOT NULL,                   -- bilty.store.afterwards.Kind
    invoice text NOT NULL DEFAULT '',     -- whose e-way bill
    ewaybill text NOT NULL DEFAULT '',    -- its number
    state text NOT NULL DEFAULT 'owed',   -- bilty.store.afterwards.State
    owed_at timestamptz NOT NULL,
    due_at timestamptz, -- when it is said; while a call is out, when its claim lapses; null: never again
    fence integer NOT NULL DEFAULT 0, -- grows with each claim: an answer under an old one is not recorded
    tries integer NOT NULL DEFAULT 0,
    pickup_at timestamptz,                -- what was asked for
    confirmation text NOT NULL DEFAULT '',
    warning text NOT NULL DEFAULT '', -- what a person must see while this turn has the shipment
    UNIQUE (turn_id, kind, invoice)
);
CREATE INDEX afterwards_by_shipment ON afterwards (shipment_id);
CREATE INDEX afterwards_due ON afterwards (due_at) WHERE due_at IS NOT NULL;
