-- Settings show who changed what they show last. Lines about shipments are the many, and are found by their shipment.
CREATE INDEX audit_by_subject ON audit (subject, id) WHERE shipment_id IS NULL;
