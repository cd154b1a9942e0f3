-- E-way bills that come, or change, after a courier was asked.

-- The number of each invoice's e-way bill as this turn's courier was told it. A repetition says the same, to the letter;
-- what it does not have is told it once there is an AWB. Null: as the content of its version has them.
ALTER TABLE turns ADD COLUMN told_ewaybills jsonb;
-- The last day of each as it was told when the courier was asked: no later call tells another.
ALTER TABLE turns ADD COLUMN told_expiries jsonb;

-- An e-way bill that was told to one courier while another took the boxes: its transporter is to be changed at the
-- portal, by a person. `turn_id` is the turn that has the shipment, `told_to` the courier that was told the number.
CREATE TABLE transporters (
    shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE,
    turn_id     bigint NOT NULL,
    invoice     text NOT NULL,
    number      text NOT NULL,
    told_to     text NOT NULL,
    at          timestamptz NOT NULL,
    settled_at  timestamptz, -- null: a person has yet to see to it
    PRIMARY KEY (turn_id, invoice, number)
);
CREATE INDEX transporters_of_shipment ON transporters (shipment_id);
CREATE INDEX transporters_open ON transporters (at) WHERE settled_at IS NULL;
