-- When the waybills that came with a label are not as many as the boxes.

-- How they differ, in words; blank where they do not, or where a person has said that it is right.
ALTER TABLE turns ADD COLUMN miscount text NOT NULL DEFAULT '';

-- What has the shipment has it, too, while it is brought back.
DROP INDEX turns_one_holder;
CREATE UNIQUE INDEX turns_one_holder ON turns (shipment_id)
    WHERE state IN ('fetching', 'unlabelled', 'won', 'returning', 'unreturned', 'returned');
