-- Consignees that are saved once and named by a code. Shipments keep copies: none refers to a row here.

CREATE TABLE consignees (
    code    text PRIMARY KEY COLLATE "C",
    content jsonb NOT NULL -- a Party
);
