-- PDFs that travel with a shipment: its invoice, its e-way bill. The files are in the label store, by their hash.
CREATE TABLE attachments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    kind text NOT NULL,  -- bilty.store.attachments.Kind
    name text NOT NULL,  -- as the file was called
    sha256 text NOT NULL,
    pages integer NOT NULL CHECK (pages >= 1),
    bytes integer NOT NULL CHECK (bytes >= 1),
    actor_kind text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (shipment_id, sha256)
);
CREATE INDEX attachments_by_file ON attachments (sha256);

-- The one box whose label was printed once more; null: all of them.
ALTER TABLE prints ADD COLUMN box integer CHECK (box >= 1);

-- Papers besides the label that ClickPost's answer had links to: fetched when they are first printed, and kept.
CREATE TABLE courier_papers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    turn_id bigint NOT NULL REFERENCES turns ON DELETE CASCADE,
    kind text NOT NULL,                -- bilty.reply.PaperKind
    url text NOT NULL,
    sha256 text NOT NULL DEFAULT '',   -- blank: not fetched yet
    UNIQUE (turn_id, url)
);
