-- Who may do what in the panel, and what was done.
ALTER TABLE users
    ADD COLUMN password_hash text NOT NULL DEFAULT '',  -- argon2; blank: signs in by links only
    ADD COLUMN all_facilities boolean NOT NULL DEFAULT true,
    ADD COLUMN disabled_at timestamptz;
CREATE TABLE user_facilities (
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    facility_id integer NOT NULL REFERENCES facilities ON DELETE CASCADE,
    PRIMARY KEY (user_id, facility_id)
);

ALTER TABLE sessions
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- to name one without its token
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN agent text NOT NULL DEFAULT '';
CREATE INDEX sessions_by_user ON sessions (user_id);

ALTER TABLE api_keys
    ADD COLUMN prefix text NOT NULL DEFAULT '', -- the key's beginning, by which a person tells it
    ADD COLUMN used_on date;

-- What people, keys and commands changed or ordered. It only ever grows.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'key', 'command', 'bilty')),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    shipment_id bigint, -- no reference: the trail outlives what it tells of
    facility_id integer,
    before jsonb,
    after jsonb
);
CREATE INDEX audit_by_shipment ON audit (shipment_id, id) WHERE shipment_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_facility ON audit (facility_id, id); -- what an admin of a few facilities reads

CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();
CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
CREATE INDEX audit_by_action ON audit (action, id);

ALTER TABLE users ADD COLUMN seen_at timestamptz; -- to the minute
ALTER TABLE sign_in_links
    ALTER COLUMN user_id DROP NOT NULL, -- null: whoever uses it becomes the first admin
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- Passwords that were tried and not right: bilty.store.tries.
CREATE TABLE sign_in_tries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject bytea NOT NULL, -- a hash of the e-mail address or of the network
    at timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_by_subject ON sign_in_tries (subject, at);
CREATE INDEX sign_in_tries_by_age ON sign_in_tries (at);
