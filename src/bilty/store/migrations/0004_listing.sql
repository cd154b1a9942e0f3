-- What the list of shipments filters, sorts and searches by. `bilty.store.listed` writes it, `bilty.store.listing` reads.

ALTER TABLE shipments ADD COLUMN printed_at timestamptz; -- when its present label was last put on paper for a person

-- Which tab a shipment stands under: its status, except that labels that are on no paper yet have a tab of their own.
ALTER TABLE shipments ADD COLUMN standing text NOT NULL GENERATED ALWAYS AS (
    CASE WHEN status = 'label_ready' AND printed_at IS NULL THEN 'ready_not_printed' ELSE status END) STORED;

-- The couriers that shipments were ever with, by name as people know them. A blank name: with nobody yet. Each belongs
-- to a provider, so that a shipment's courier also says its provider.
CREATE TABLE couriers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider_id integer NOT NULL REFERENCES shipping_providers ON DELETE CASCADE,
    name text NOT NULL,
    UNIQUE (provider_id, name)
);
INSERT INTO couriers (provider_id, name) SELECT id, '' FROM shipping_providers;
INSERT INTO couriers (provider_id, name)
    SELECT DISTINCT provider_id, courier_name FROM turns WHERE courier_name IS NOT NULL ON CONFLICT DO NOTHING;

-- Of the turn that has the shipment, or may still take it. No reference: couriers stay, and no update need check it.
ALTER TABLE shipments ADD COLUMN courier_id integer;
UPDATE shipments s SET courier_id = c.id FROM couriers c
    WHERE c.provider_id = s.provider_id AND c.name = coalesce(
        (SELECT t.courier_name FROM turns t WHERE t.shipment_id = s.id
            AND t.state IN ('fetching', 'unlabelled', 'won')),
        (SELECT t.courier_name FROM turns t WHERE t.shipment_id = s.id
            AND t.state IN ('asking', 'unclear', 'waiting', 'undecided')),
        '');
ALTER TABLE shipments ALTER COLUMN courier_id SET NOT NULL;

-- Facility, courier, provider, tab and day in any combination are a few runs of one of these two, each in the order of
-- ids: the list merges them. `created_at` rides along, so that a day is cut exactly without a look at the table.
CREATE INDEX shipments_by_facility ON shipments (facility_id, courier_id, standing, id) INCLUDE (created_at);
CREATE INDEX shipments_by_courier ON shipments (courier_id, standing, id) INCLUDE (created_at);

-- What does not move while a shipment is on its way stands apart: a status that changes rewrites its row in `shipments`
-- with an entry in each index there, and none of the six here. Text is in lower case, as it is looked for.
CREATE TABLE shipment_keys (
    shipment_id bigint PRIMARY KEY REFERENCES shipments ON DELETE CASCADE,
    facility_id integer NOT NULL,
    created_at timestamptz NOT NULL,
    number text COLLATE "C" NOT NULL,
    order_number text COLLATE "C" NOT NULL,
    consignee text COLLATE "C" NOT NULL,
    box_count integer NOT NULL,
    weight_g integer NOT NULL,
    value numeric(14, 2) NOT NULL
);
INSERT INTO shipment_keys
    SELECT id, facility_id, created_at, lower(number), lower(order_number), lower(consignee), box_count, weight_g, value
      FROM shipments;
CREATE INDEX shipment_keys_by_number ON shipment_keys (number, shipment_id);
CREATE INDEX shipment_keys_by_order ON shipment_keys (order_number, shipment_id);
CREATE INDEX shipment_keys_by_consignee ON shipment_keys (consignee, shipment_id);
CREATE INDEX shipment_keys_by_boxes ON shipment_keys (box_count, shipment_id);
CREATE INDEX shipment_keys_by_weight ON shipment_keys (weight_g, shipment_id);
CREATE INDEX shipment_keys_by_value ON shipment_keys (value, shipment_id);

-- What may be scanned from paper, in lower case: references, AWBs and the boxes' AWBs. Only ever added to, so that no
-- poll and no label rewrites it. No reference: whoever adds has the shipment locked.
CREATE TABLE shipment_codes (
    code text COLLATE "C" NOT NULL,
    shipment_id bigint NOT NULL,
    PRIMARY KEY (code, shipment_id)
);
INSERT INTO shipment_codes
    SELECT lower(reference), shipment_id FROM turns
    UNION SELECT lower(awb), shipment_id FROM turns WHERE awb <> ''
    UNION SELECT lower(child ->> 'awb'), shipment_id FROM turns, jsonb_array_elements(children) AS child
        WHERE child ->> 'awb' <> '';

-- Consignees come again and again: words are looked for among their names, and shipments found by the whole name.
CREATE FUNCTION words_of(name text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(regexp_split_to_array(lower(name), '[[:space:][:punct:]]+'), '');
CREATE TABLE consignee_names (
    name text COLLATE "C" PRIMARY KEY,
    words tsvector NOT NULL GENERATED ALWAYS AS (array_to_tsvector(words_of(name))) STORED
);
INSERT INTO consignee_names (name) SELECT DISTINCT consignee FROM shipment_keys;
CREATE INDEX consignee_names_by_word ON consignee_names USING gin (words) WITH (fastupdate = off);
