-- Rounds in which ClickPost is asked about every reference that may still be more, or less, than Bilty knows of it.
CREATE TABLE reconciliations (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    since timestamptz NOT NULL,                         -- what ended before is left out
    upto_turn bigint NOT NULL,                          -- the youngest when it began
    after_turn bigint NOT NULL DEFAULT 0,               -- up to this turn it is done
    lease integer NOT NULL DEFAULT 0,                   -- grows with each page that is taken
    leased_until timestamptz NOT NULL DEFAULT '-infinity', -- whose page it is, or when it goes on
    tries integer NOT NULL DEFAULT 0,                   -- in vain, from here on
    asked integer NOT NULL DEFAULT 0,
    unanswered integer NOT NULL DEFAULT 0,
    taken_in integer NOT NULL DEFAULT 0,                -- AWBs that Bilty did not have
    ended_at timestamptz,
    problem text NOT NULL DEFAULT ''                    -- why it ended before its end
);
CREATE UNIQUE INDEX reconciliations_one_open ON reconciliations ((true)) WHERE ended_at IS NULL;

-- Where the books differed: what a round found, until the next finds it well or a person has seen to it.
CREATE TABLE differences (
    turn_id bigint PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    kind text NOT NULL,                                 -- bilty.deciding.found.Difference
    awb text NOT NULL,                                  -- ours; where it was taken in, theirs
    their_awb text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',                   -- their words
    found_by integer NOT NULL REFERENCES reconciliations ON DELETE CASCADE,
    found_at timestamptz NOT NULL,
    settled_at timestamptz
);
CREATE INDEX differences_open ON differences (found_at) WHERE settled_at IS NULL AND kind <> 'taken_in';
CREATE INDEX differences_by_round ON differences (found_by);
