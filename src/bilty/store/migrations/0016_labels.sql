-- Whose label a PDF is: one that is uploaded may be another's, or a void one.
CREATE INDEX turns_by_label ON turns (label_sha256) WHERE label_sha256 <> '';
