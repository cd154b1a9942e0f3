-- How much is said to a shipping provider at once, and how fast, by all programs together.

ALTER TABLE shipping_providers
    ADD COLUMN quiet_until timestamptz, -- ClickPost asked us to come again later (429): nobody says anything until then
    ADD COLUMN paced_until timestamptz; -- every call moves it on by its share of a second, where calls a second are limited

-- Which calls are out: the places that claims take are counted, those of a dead worker only until its lease is over.
CREATE INDEX turns_out ON turns (provider_id, claimed_at) WHERE claimed_at IS NOT NULL;

-- A call that is no turn's (an e-way bill told, a connection tested) has its place from before it is made until it is
-- answered; that of a dead process until `until`.
CREATE TABLE side_calls (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider_id integer NOT NULL REFERENCES shipping_providers ON DELETE CASCADE,
    until timestamptz NOT NULL
);
CREATE INDEX side_calls_out ON side_calls (provider_id, until);
