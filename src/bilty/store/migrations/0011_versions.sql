-- When a shipment is changed after somebody was asked to carry it.

-- A run begins by itself as soon as nothing of the older version may still be booked.
ALTER TABLE shipments ADD COLUMN schedule_asked boolean NOT NULL DEFAULT false;
