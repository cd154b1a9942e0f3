-- A call that is no turn's and waits for a place among those that may be out at once: one is left free for it.
ALTER TABLE side_calls ADD COLUMN waits boolean NOT NULL DEFAULT false;
