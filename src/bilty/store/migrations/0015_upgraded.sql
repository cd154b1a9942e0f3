-- What an older program left behind.

-- A late label waits no longer than one of today: then it is cancelled, unless somebody uses it.
UPDATE turns SET due_at = clock_timestamp() + interval '30 minutes'
    WHERE state = 'offered' AND NOT entered AND due_at IS NULL;

-- What stands on a manifest has left the house: from now on that is what dispatched means.
UPDATE shipments s SET dispatched = true, status = 'dispatched'
    WHERE NOT s.cancel_asked AND NOT s.dispatched
      AND EXISTS (SELECT FROM turns t JOIN manifested m ON m.turn_id = t.id
                   WHERE t.shipment_id = s.id AND t.state = 'won');
