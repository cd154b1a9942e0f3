-- What is done after a restore from backup: ClickPost is asked what it knows before anybody is asked to carry.
CREATE TABLE restores (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    known_until timestamptz, -- the youngest fact of the backup
    look_from timestamptz NOT NULL, -- no call of the Bilty before can be out any more
    careful_until timestamptz NOT NULL -- until then each run that begins is looked for first
);

-- Shipments that may have been booked without our knowing. Nothing is said of one for as long as it is due here.
CREATE TABLE to_find (
    shipment_id bigint PRIMARY KEY REFERENCES shipments ON DELETE CASCADE,
    due_at timestamptz, -- while it is looked for: when the lease ends; null: it was found, once a restore is enough
    fence bigint NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    why text NOT NULL DEFAULT '' -- it was not found out the last time
);
CREATE INDEX to_find_due ON to_find (due_at) WHERE due_at IS NOT NULL;
