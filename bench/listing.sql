-- A house after a busy year: most is long dispatched, the last days are on their way. One facility takes 40 %, one has
-- long been closed, one opened last week; one courier is rare; one provider is new. `:rows` shipments in chunks.
SELECT setseed(0.5);
INSERT INTO facilities (code, content)
    SELECT 'F-' || to_char(n, 'FM00'), '{"time_zone": "Asia/Kolkata"}' FROM generate_series(1, 20) AS n;
INSERT INTO shipping_providers (code, kind, name)
    VALUES ('clickpost-1', 'clickpost_b2b', 'ClickPost B2B'), ('clickpost-2', 'clickpost_b2b', 'ClickPost B2B, south');
INSERT INTO couriers (provider_id, name)
    SELECT p.id, c.name FROM shipping_providers p, unnest(ARRAY['', 'Delhivery B2B', 'Blue Dart', 'DTDC', 'Gati', 'Safexpress',
        'TCI Freight', 'VRL Logistics', 'Rivigo']) WITH ORDINALITY AS c(name, nth) ORDER BY p.id, nth;
CREATE UNLOGGED TABLE seed (
    id bigint, facility_id integer, provider_id integer, courier_id integer, courier text, consignee text,
    boxes integer, weight_g integer, value numeric, status text, printed boolean, created_at timestamptz
);
-- chunk
TRUNCATE seed;
INSERT INTO seed
SELECT n, facility, provider,
       CASE WHEN status IN ('scheduling', 'label_requested', 'label_ready', 'dispatched') THEN c.id
            ELSE (SELECT id FROM couriers WHERE provider_id = provider AND name = '') END,
       c.name,
       (ARRAY['Sri','Shree','Om','New','Royal','Bharat','Hind','Jai','Maa','Star','National','Modern','Sai','Balaji','Ganesh',
              'Laxmi','Durga','Krishna','Shiva','Super','Metro','City','Global','United','Classic','Prime','Golden','Silver',
              'Anand','Arihant','Sahyadri','Malnad','Deccan','Konkan','Vindhya','Nilgiri','Narmada','Kaveri','Ganga','Indus']
       )[1 + k % 40] || ' ' ||
       (ARRAY['Lakshmi','Venkatesh','Mahalaxmi','Agarwal','Gupta','Sharma','Patel','Reddy','Iyer','Nair','Kapoor','Mehta',
              'Shah','Jain','Verma','Singh','Khan','Das','Bose','Roy','Pillai','Rao','Naidu','Shetty','Gowda','Kulkarni',
              'Joshi','Desai','Chavan','Patil','More','Pawar','Yadav','Mishra','Tiwari','Pandey','Dubey','Saxena','Mathur',
              'Chopra','Malhotra','Sethi','Bedi','Gill','Sodhi','Arora','Bhatia','Chawla','Dhillon','Grewal'])[1 + k / 40 % 50] || ' ' ||
       (ARRAY['Traders','Enterprises','Distributors','Agencies','Stores','Pharma','Textiles','Electricals','Hardware','Foods',
              'Exports','Industries','Retail Private Limited','Wholesale','Mart'])[1 + k / 2000 % 15],
       1 + (r1 * r1 * 30)::int, 500 + (r2 * r2 * 200000)::int, round((500 + r3 * r3 * 900000)::numeric, 2),
       status, status = 'dispatched' OR (status = 'label_ready' AND r4 > 0.3),
       now() - (:rows - n) * (interval '365 days' / :rows)
  FROM (SELECT *, CASE
            WHEN n > :rows * 0.998 THEN (ARRAY['created','created','created','on_hold','scheduling','label_requested',
                'label_requested','label_requested','label_ready','label_ready'])[1 + (r5 * 9.99)::int % 10]
            WHEN n > :rows * 0.97 THEN CASE WHEN r5 < 0.7 THEN 'label_ready' WHEN r5 < 0.75 THEN 'needs_attention'
                WHEN r5 < 0.85 THEN 'failed' WHEN r5 < 0.9 THEN 'not_serviceable' WHEN r5 < 0.92 THEN 'cancelling' ELSE 'cancelled' END
            WHEN r5 < 0.93 THEN 'dispatched' WHEN r5 < 0.96 THEN 'cancelled' WHEN r5 < 0.98 THEN 'failed'
            WHEN r5 < 0.99 THEN 'not_serviceable' WHEN r5 < 0.993 THEN 'needs_attention' ELSE 'label_ready' END AS status,
            CASE WHEN n < :rows * 0.1 AND r4 < 0.2 THEN 19 WHEN n > :rows * 0.99 AND r4 < 0.2 THEN 20
                 WHEN r1 < 0.4 THEN 1 ELSE 2 + (r2 * 16.99)::int END AS facility,
            CASE WHEN n > :rows * 0.8 AND r3 < 0.2 THEN 2 ELSE 1 END AS provider
          FROM (SELECT n, (hashint8(n)::bigint & 2147483647)::int AS k, random() AS r1, random() AS r2, random() AS r3, random() AS r4,
                       random() AS r5, random() AS r6 FROM generate_series(:first, :last) AS n) AS drawn) AS s
  JOIN LATERAL (SELECT id, name FROM couriers WHERE provider_id = provider AND name <> ''
                 ORDER BY id OFFSET CASE WHEN r6 < 0.001 THEN 7 ELSE (r6 * r6 * 6.99)::int END LIMIT 1) AS c ON true;

INSERT INTO shipments (id, facility_id, provider_id, courier_id, number, order_number, consignee, city, box_count, weight_g, value,
                       run, dispatched, cancel_asked, hold, status, printed_at, created_at)
OVERRIDING SYSTEM VALUE
SELECT id, facility_id, provider_id, courier_id, 'SO-' || 10000000 + id, 'PO/26-27/' || id / 3, consignee,
       (ARRAY['Pune','Mumbai','Bengaluru','Chennai','Hyderabad','Ahmedabad','Jaipur','Lucknow'])[1 + id % 8], boxes, weight_g, value,
       CASE WHEN status IN ('created', 'on_hold') THEN 0 ELSE 1 END, status = 'dispatched', status LIKE 'cancel%',
       CASE WHEN status = 'on_hold' THEN 'Invoice needs an e-way bill.' ELSE '' END, status,
       CASE WHEN printed THEN created_at + interval '1 hour' END, created_at
  FROM seed ORDER BY id;
INSERT INTO shipment_keys
SELECT id, facility_id, created_at, lower(number), lower(order_number), lower(consignee), box_count, weight_g, value FROM shipments
 WHERE id BETWEEN :first AND :last;
INSERT INTO consignee_names (name) SELECT DISTINCT lower(consignee) FROM seed ON CONFLICT DO NOTHING;
INSERT INTO shipment_versions (shipment_id, version, digest, content)
SELECT id, 1, md5(id::text) || md5(id::text), jsonb_build_object('number', id, 'goods', repeat(md5(id::text), 20)) FROM seed;
INSERT INTO turns (shipment_id, provider_id, version, run, priority, reference, state, couriers)
SELECT id, provider_id, 1, 1, 0, 'SO-' || left((10000000 + id)::text, 5) || '-' || upper(left(md5(id || '.0'), 11)),
       CASE status WHEN 'not_serviceable' THEN 'unserviceable' ELSE 'ranked' END,
       '[{"cp_id":4,"account_code":"main","name":"Delhivery B2B"},{"cp_id":5,"account_code":"main","name":"Blue Dart"},
         {"cp_id":6,"account_code":"main","name":"DTDC"}]'
  FROM seed WHERE status NOT IN ('created', 'on_hold');
INSERT INTO turns (shipment_id, provider_id, version, run, priority, cp_id, account_code, courier_name, reference, state, message, awb,
                   due_at, asked_at)
SELECT id, provider_id, 1, 1, p, 3 + p, 'main', CASE WHEN p = last_p THEN courier ELSE 'Delhivery B2B' END,
       'SO-' || left((10000000 + id)::text, 5) || '-' || upper(left(md5(id || '.' || p), 11)),
       CASE WHEN p < last_p THEN 'refused' ELSE final END, CASE WHEN p < last_p THEN 'pin not in lane' ELSE '' END,
       CASE WHEN p = last_p AND final IN ('won', 'cancelled', 'surplus') THEN 'AWB' || to_char(id, 'FM0000000000') ELSE '' END,
       CASE WHEN p = last_p AND final IN ('asking', 'waiting', 'surplus') THEN now() + interval '1 minute' END, created_at
  FROM (SELECT *, CASE WHEN id % 4 = 0 THEN 2 ELSE 1 END AS last_p,
               CASE status WHEN 'scheduling' THEN 'asking' WHEN 'label_requested' THEN 'waiting' WHEN 'failed' THEN 'refused'
                           WHEN 'needs_attention' THEN 'stopped' WHEN 'cancelled' THEN 'cancelled' WHEN 'cancelling' THEN 'surplus'
                           ELSE 'won' END AS final
          FROM seed WHERE status NOT IN ('created', 'on_hold', 'not_serviceable')) AS s
 CROSS JOIN LATERAL generate_series(1, last_p) AS p;
INSERT INTO shipment_codes
SELECT lower(reference), shipment_id FROM turns WHERE shipment_id BETWEEN :first AND :last
UNION ALL
SELECT lower(awb), shipment_id FROM turns WHERE awb <> '' AND shipment_id BETWEEN :first AND :last
UNION ALL
SELECT 'c' || to_char(id, 'FM0000000000') || '-' || b, id FROM seed, generate_series(1, 3) AS b WHERE status IN ('label_ready', 'dispatched');
