-- Bilty as a custom courier inside an existing Uniware.

-- What a facility has set down for what Uniware's contract has no place for.
CREATE TABLE uniware_defaults (
    facility_id integer PRIMARY KEY REFERENCES facilities,
    content     jsonb NOT NULL -- bilty.intake.uniware.Defaults
);

-- What Uniware said of a shipment when it was asked for last, as a hash: the same again is the same, whatever the
-- facility's defaults are by now.
CREATE TABLE uniware_shipments (
    shipment_id bigint PRIMARY KEY REFERENCES shipments ON DELETE CASCADE,
    asked       bytea NOT NULL
);

-- What was handed over together, for good: the paper is made of `content` whenever it is asked for.
CREATE TABLE manifests (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    content jsonb NOT NULL -- bilty.store.manifests.Manifest
);

-- An AWB is on one manifest.
CREATE TABLE manifested (
    turn_id     bigint PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    manifest_id bigint NOT NULL REFERENCES manifests
);
CREATE INDEX manifested_of_manifest ON manifested (manifest_id);
