-- One row: who we are to ClickPost. References are hashed from it, so that a restored backup names its turns the same.
CREATE TABLE installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id text NOT NULL DEFAULT gen_random_uuid()::text
);
INSERT INTO installation DEFAULT VALUES;

CREATE TABLE facilities (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    content jsonb NOT NULL -- bilty.shipment.Facility
);

CREATE TABLE shipping_providers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    kind text NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    connector jsonb,               -- bilty.shipping_provider.Connector without its key; null until Update Connector
    sealed_key bytea,              -- encrypted with BILTY_SECRET_KEY
    revision integer NOT NULL DEFAULT 0, -- of the connector: a dispatcher builds its client anew when it grew
    paused_at timestamptz,         -- ClickPost refuses our credentials: nothing is said until Update Connector
    paused_why text NOT NULL DEFAULT '',
    alarmed_at timestamptz,        -- the status call does not answer as documented: nobody is fallen over to
    alarmed_why text NOT NULL DEFAULT '',
    silent_since timestamptz,      -- no readable answer since: one banner
    CHECK ((connector IS NULL) = (sealed_key IS NULL))
);

CREATE TABLE shipments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id integer NOT NULL REFERENCES facilities,
    provider_id integer NOT NULL REFERENCES shipping_providers,
    number text NOT NULL,
    order_number text NOT NULL,
    consignee text NOT NULL,
    city text NOT NULL,
    box_count integer NOT NULL CHECK (box_count BETWEEN 1 AND 999),
    weight_g integer NOT NULL,
    value numeric(14, 2) NOT NULL,
    version integer NOT NULL DEFAULT 1,
    run integer NOT NULL DEFAULT 0,
    hold text NOT NULL DEFAULT '',
    cancel_asked boolean NOT NULL DEFAULT false,
    failed_told boolean NOT NULL DEFAULT false,
    dispatched boolean NOT NULL DEFAULT false,
    -- What bilty.workflow derives from the turns, kept for lists and counts; written whenever a turn is.
    status text NOT NULL,
    concerns text[] NOT NULL DEFAULT '{}',
    warnings text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (facility_id, number)
) WITH (fillfactor = 80);
CREATE INDEX shipments_by_status ON shipments (status, id);

-- What was asked to be carried, for good: weight disputes come months later.
CREATE TABLE shipment_versions (
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    version integer NOT NULL,
    digest text NOT NULL,
    content jsonb NOT NULL, -- bilty.shipment.Shipment
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shipment_id, version)
);

CREATE TABLE turns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    provider_id integer NOT NULL REFERENCES shipping_providers,
    version integer NOT NULL,
    run integer NOT NULL,
    priority integer NOT NULL CHECK (priority BETWEEN 0 AND 3), -- 0: the ranking
    cp_id integer,
    account_code text,
    courier_name text,
    reference text NOT NULL UNIQUE CHECK (length(reference) <= 20),
    state text NOT NULL,
    due_at timestamptz, -- when the next call is owed; while a call is out, when its claim lapses
    claimed_at timestamptz, -- a call is out since
    fence bigint NOT NULL DEFAULT 0, -- grows with each claim: an answer under an old one is not recorded
    asks integer NOT NULL DEFAULT 0,
    unknowns integer NOT NULL DEFAULT 0,
    polls_done integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    planned_due timestamptz,
    asked_at timestamptz,
    lapsed_at timestamptz,
    -- What this courier was promised, and where it was sent: repetitions send the same.
    pickup_at timestamptz,
    appointment jsonb,
    facility jsonb,
    awb text NOT NULL DEFAULT '',
    label_url text NOT NULL DEFAULT '',
    label_sha256 text NOT NULL DEFAULT '',
    label_pages integer NOT NULL DEFAULT 0,
    children jsonb NOT NULL DEFAULT '[]', -- bilty.reply.Child, as the courier sent them
    code integer NOT NULL DEFAULT 0,
    message text NOT NULL DEFAULT '',
    couriers jsonb NOT NULL DEFAULT '[]', -- of the ranking: P1, P2, P3
    UNIQUE (shipment_id, run, priority),
    FOREIGN KEY (shipment_id, version) REFERENCES shipment_versions ON DELETE CASCADE,
    CHECK ((priority = 0) = (cp_id IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX turns_due ON turns (provider_id, due_at) WHERE due_at IS NOT NULL;
-- The two things that must never be, whatever a program believes: bilty.turn.Kind OPEN and HOLDS.
CREATE UNIQUE INDEX turns_one_open ON turns (shipment_id)
    WHERE state IN ('ranking', 'asking', 'unclear', 'waiting', 'undecided');
CREATE UNIQUE INDEX turns_one_holder ON turns (shipment_id)
    WHERE state IN ('fetching', 'unlabelled', 'won');

-- Boxes are rows. Child AWBs belong to the label that is on the box.
CREATE TABLE boxes (
    shipment_id bigint NOT NULL,
    version integer NOT NULL,
    number integer NOT NULL CHECK (number BETWEEN 1 AND 999),
    reference text NOT NULL,
    awb text NOT NULL DEFAULT '',
    PRIMARY KEY (shipment_id, version, number),
    FOREIGN KEY (shipment_id, version) REFERENCES shipment_versions ON DELETE CASCADE
) WITH (fillfactor = 80);

-- Each AWB that was ever heard, and the turn that heard it first. A second hearer is a conflict for a person.
CREATE TABLE awbs (
    cp_id integer NOT NULL,
    awb text NOT NULL,
    turn_id bigint NOT NULL REFERENCES turns ON DELETE CASCADE,
    PRIMARY KEY (cp_id, awb)
);

CREATE TABLE timeline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    turn_id bigint REFERENCES turns ON DELETE CASCADE,
    at timestamptz NOT NULL,
    state text NOT NULL, -- of the turn, after it heard; of the shipment where there is no turn
    polls_done integer NOT NULL DEFAULT 0,
    message text NOT NULL DEFAULT ''
);
CREATE INDEX timeline_by_shipment ON timeline (shipment_id, id);

-- Request and answer, redacted: why we believe what we believe. Expires by retention; `shipment_versions` does not.
CREATE TABLE exchanges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    turn_id bigint NOT NULL REFERENCES turns ON DELETE CASCADE,
    at timestamptz NOT NULL,
    step text NOT NULL,
    request text NOT NULL,
    status integer NOT NULL,
    answer text NOT NULL,
    duration_ms integer NOT NULL
);
CREATE INDEX exchanges_by_turn ON exchanges (turn_id, id);

-- What an admin is told once: a courier account that refuses us, by facility.
CREATE TABLE notices (
    provider_id integer NOT NULL REFERENCES shipping_providers ON DELETE CASCADE,
    facility_id integer NOT NULL REFERENCES facilities ON DELETE CASCADE,
    cp_id integer NOT NULL,
    account_code text NOT NULL,
    code integer NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider_id, facility_id, cp_id, account_code)
);

CREATE TABLE api_keys (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    scope text NOT NULL CHECK (scope IN ('read', 'dispatch', 'admin')),
    hash bytea NOT NULL UNIQUE, -- sha256: the key itself has 160 random bits
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE users (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('admin', 'dispatcher', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE sign_in_links (
    hash bytea PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE TABLE sessions (
    hash bytea PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
