-- Order files that a person brings in through the panel: checked first, mended in place, then taken in.
CREATE TABLE imports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,              -- of the file, as the person calls it
    sha256 text NOT NULL,            -- where the label store keeps it
    form text NOT NULL CHECK (form IN ('csv', 'xlsx')),
    size bigint NOT NULL,            -- in bytes
    actor_kind text NOT NULL,        -- bilty.store.audit.Actor
    actor text NOT NULL,
    facilities integer[],            -- those for which the person may bring shipments; null: all
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'reading', -- bilty.store.imports.ImportState
    headers jsonb NOT NULL DEFAULT '[]', -- the file's own names of its columns
    mapping jsonb NOT NULL DEFAULT '{}', -- theirs to ours, or to "" where one is left out
    mapping_problem text NOT NULL DEFAULT '',
    unsure text[] NOT NULL DEFAULT '{}', -- our columns of days in which some have the month first
    notes jsonb NOT NULL DEFAULT '[]',
    problem text NOT NULL DEFAULT '',
    schedule boolean NOT NULL DEFAULT false, -- what is taken in is booked at once
    job_id bigint,                   -- the job that works on it, or did so last; gone when it was cleared away
    began_at timestamptz,
    ended_at timestamptz,
    done integer NOT NULL DEFAULT 0, -- lines read of the file, or shipments taken in
    total integer NOT NULL DEFAULT 0,
    counts jsonb NOT NULL DEFAULT '{}', -- shipments by their verdict, as they were when a job or a person was done
    held integer NOT NULL DEFAULT 0,
    scheduled integer NOT NULL DEFAULT 0
);
CREATE INDEX imports_by_actor ON imports (actor, id);

-- A shipment of such a file with the rows that it stands in, or a row that is nobody's. `position` is its first line.
CREATE TABLE import_rows (
    import_id bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    position integer NOT NULL,
    number text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('new', 'same', 'differs', 'faulty', 'taken')),
    rows jsonb NOT NULL,             -- [[line, [cell, …]], …] in the order of the header
    faults jsonb NOT NULL DEFAULT '[]',
    warnings jsonb NOT NULL DEFAULT '[]',
    changes jsonb NOT NULL DEFAULT '[]', -- what taking it in would change, were it not left alone
    hold text NOT NULL DEFAULT '',
    shipment_id bigint REFERENCES shipments ON DELETE SET NULL,
    PRIMARY KEY (import_id, position)
);
CREATE INDEX import_rows_by_verdict ON import_rows (import_id, verdict, position);
CREATE INDEX import_rows_by_shipment ON import_rows (shipment_id, import_id) WHERE shipment_id IS NOT NULL;

-- Which of their columns is which of ours, as a person said last for a header of exactly these names.
CREATE TABLE import_mappings (
    headers text PRIMARY KEY,        -- sha256 of the names
    mapping jsonb NOT NULL
);
