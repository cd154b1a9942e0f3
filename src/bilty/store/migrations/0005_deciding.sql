-- What people decide.

-- A person has seen to it outside Bilty: it is not shown as waiting for anybody.
ALTER TABLE turns ADD COLUMN settled boolean NOT NULL DEFAULT false;

-- The AWB is what a person typed, not what ClickPost said: it is never cancelled unasked, and can be taken back.
ALTER TABLE turns ADD COLUMN entered boolean NOT NULL DEFAULT false;

-- Whose act a line of the timeline tells: `state` is then its bilty.deciding.ActKind, `message` what goes with it.
ALTER TABLE timeline ADD COLUMN actor text NOT NULL DEFAULT '';

-- Since when a shipment waits for a person, for what it now waits; null while it does not.
ALTER TABLE shipments ADD COLUMN concerned_at timestamptz;
UPDATE shipments SET concerned_at = created_at WHERE concerns <> '{}';
CREATE INDEX shipments_concerned ON shipments (concerned_at, id) INCLUDE (facility_id) WHERE concerned_at IS NOT NULL;
