-- What leaves with one truck: boxes of one facility's, for one courier, ticked off one by one, and closed with a manifest.
CREATE TABLE handovers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id integer NOT NULL REFERENCES facilities,
    courier_id integer NOT NULL, -- no reference: couriers stay
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    closed_at timestamptz,
    closed_by text NOT NULL DEFAULT '',
    manifest_id bigint, -- none where nothing was complete
    shipments integer NOT NULL DEFAULT 0 -- that went, and of how many boxes together
        CHECK (shipments >= 0),
    boxes integer NOT NULL DEFAULT 0 CHECK (boxes >= 0)
);
-- Two people at one truck work on one handover.
CREATE UNIQUE INDEX handovers_open ON handovers (facility_id, courier_id) WHERE closed_at IS NULL;
CREATE INDEX handovers_closed ON handovers (facility_id, id) WHERE closed_at IS NOT NULL;

-- The boxes that were ticked off, by the turn whose label they wear: what is booked anew is ticked off anew.
CREATE TABLE handover_boxes (
    handover_id bigint NOT NULL REFERENCES handovers ON DELETE CASCADE,
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    turn_id bigint NOT NULL,
    box integer NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (handover_id, turn_id, box)
);
CREATE INDEX handover_boxes_of ON handover_boxes (shipment_id);
