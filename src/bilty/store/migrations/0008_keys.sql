-- What a key may touch, until when, and when it was used last; what was answered to a request that carried a key of its
-- own against repetition.

ALTER TABLE api_keys
    ADD COLUMN all_facilities boolean NOT NULL DEFAULT true, -- false: those of key_facilities alone, be it none
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN used_at timestamptz; -- to the minute: most answers are worth no write
UPDATE api_keys SET used_at = used_on;
ALTER TABLE api_keys DROP COLUMN used_on;

CREATE TABLE key_facilities (
    key_id      integer NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    facility_id integer NOT NULL REFERENCES facilities,
    PRIMARY KEY (key_id, facility_id)
);

CREATE TABLE idempotency_keys (
    api_key_id  integer NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    key         text NOT NULL,
    request     bytea NOT NULL, -- the hash of method, address and body
    began_at    timestamptz NOT NULL,
    answer      bytea, -- sealed; null while the first request is under way, or since its process died
    PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (began_at);
