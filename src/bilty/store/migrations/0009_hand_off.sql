-- Hand-off: what happened to shipments, and telling it to order systems until they have it.

CREATE TABLE endpoints (
    id                integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code              text NOT NULL,
    url               text NOT NULL,
    events            text[] NOT NULL,
    facilities        integer[], -- null: all
    sealed_secret     bytea NOT NULL,
    sealed_old_secret bytea, -- signs beside the new one until old_secret_until
    old_secret_until  timestamptz,
    enabled           boolean NOT NULL DEFAULT true,
    failing_since     timestamptz, -- null while what is sent is received
    disabled_at       timestamptz, -- by Bilty, after long failure; a person's word is in enabled alone
    disabled_why      text NOT NULL DEFAULT '',
    begun_anew_at     timestamptz, -- tries before it do not count: it was enabled, or put right
    hasten_until      timestamptz, -- what waits until then goes out as soon as what was due before is through
    removed_at        timestamptz, -- by a person; clearing takes it away with its deliveries and lanes, bit by bit
    created_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX endpoints_by_code ON endpoints (code) WHERE removed_at IS NULL;

-- Written in the transaction of the fact, whether or not anybody is told.
CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid         uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE, -- its id outside: never again, not even after a restore
    shipment_id bigint NOT NULL REFERENCES shipments,
    turn_id     bigint,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,
    content     jsonb NOT NULL
);
CREATE INDEX events_of_shipment ON events (shipment_id, id);
CREATE INDEX events_by_time ON events (at);

-- One event for one endpoint.
CREATE TABLE deliveries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id integer NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    shipment_id bigint NOT NULL,
    event_id    bigint NOT NULL REFERENCES events,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    tries       integer NOT NULL DEFAULT 0,
    first_at    timestamptz, -- its first try
    last_at     timestamptz, -- its last
    status      integer, -- of the last answer; null where none came
    why         text NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, shipment_id, id) WHERE state = 'waiting';
CREATE INDEX deliveries_given_up ON deliveries (endpoint_id, id) WHERE state = 'given_up';
CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint_id, id);
CREATE INDEX deliveries_of_event ON deliveries (event_id);

-- What is owed to one endpoint about one shipment: its deliveries go through a lane one after the other, so their order
-- is kept. A lane is claimed and settled as a turn is: due_at, lease and fence.
CREATE TABLE lanes (
    endpoint_id integer NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    shipment_id bigint NOT NULL,
    due_at      timestamptz, -- null: nothing is owed
    claimed_at  timestamptz, -- null: no call is out
    fence       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (endpoint_id, shipment_id)
) WITH (fillfactor = 80);
CREATE INDEX lanes_due ON lanes (endpoint_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lanes_claimed ON lanes (endpoint_id) WHERE claimed_at IS NOT NULL;
