-- What Today is drawn from: how each courier's turn ended, and when. One narrow row a turn, told apart by its time, so
-- that the page reads today's rows and nothing else, however many shipments there are.
--
-- Why a table, and not an index over what is there? The timeline gets ten rows a shipment, and an index on its `at`
-- would be paid for with each; a turn that lapsed is written every ten minutes while it is watched, and an index over
-- turns would be paid for with each of those. These rows are written once, behind one another, and seldom again.
CREATE TABLE turn_ends (
    turn_id bigint PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    at timestamptz NOT NULL,
    facility_id integer NOT NULL,
    cp_id integer NOT NULL,
    account_code text NOT NULL,
    courier_name text NOT NULL,
    ended text NOT NULL CHECK (ended IN ('label', 'refused', 'lapsed')),
    took_ms bigint -- since the shipment was scheduled
);
CREATE INDEX turn_ends_by_time ON turn_ends (at);

-- When its present run began. Written where `run` is.
ALTER TABLE shipments ADD COLUMN scheduled_at timestamptz;
-- The oldest in flight, without looking at the rest: an outage may leave tens of thousands waiting.
CREATE INDEX shipments_in_flight ON shipments (scheduled_at)
    INCLUDE (facility_id) WHERE status IN ('scheduling', 'label_requested');
