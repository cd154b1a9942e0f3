-- What the files of src/bilty/store/migrations make. Renewed by: RENEW_SCHEMA=1 ./run test -k schema_sql


CREATE TYPE public.pgqueuer_status AS ENUM (
    'queued',
    'picked',
    'successful',
    'exception',
    'canceled',
    'deleted',
    'failed'
);

CREATE FUNCTION public.audit_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION public.fn_pgqueuer_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$;

CREATE FUNCTION public.words_of(name text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(regexp_split_to_array(lower(name), '[[:space:][:punct:]]+'::text), ''::text);

CREATE TABLE public.afterwards (
    id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    turn_id bigint NOT NULL,
    kind text NOT NULL,
    invoice text DEFAULT ''::text NOT NULL,
    ewaybill text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'owed'::text NOT NULL,
    owed_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone,
    fence integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    pickup_at timestamp with time zone,
    confirmation text DEFAULT ''::text NOT NULL,
    warning text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.afterwards ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.afterwards_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.api_keys (
    id integer NOT NULL,
    name text NOT NULL,
    scope text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    prefix text DEFAULT ''::text NOT NULL,
    all_facilities boolean DEFAULT true NOT NULL,
    expires_at timestamp with time zone,
    used_at timestamp with time zone,
    CONSTRAINT api_keys_scope_check CHECK ((scope = ANY (ARRAY['read'::text, 'dispatch'::text, 'admin'::text])))
);

ALTER TABLE public.api_keys ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.api_keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.attachments (
    id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    pages integer NOT NULL,
    bytes integer NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT attachments_bytes_check CHECK ((bytes >= 1)),
    CONSTRAINT attachments_pages_check CHECK ((pages >= 1))
);

ALTER TABLE public.attachments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.attachments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    shipment_id bigint,
    facility_id integer,
    before jsonb,
    after jsonb,
    CONSTRAINT audit_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['user'::text, 'key'::text, 'command'::text, 'bilty'::text])))
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.awbs (
    cp_id integer NOT NULL,
    awb text NOT NULL,
    turn_id bigint NOT NULL
);

CREATE TABLE public.boxes (
    shipment_id bigint NOT NULL,
    version integer NOT NULL,
    number integer NOT NULL,
    reference text NOT NULL,
    awb text DEFAULT ''::text NOT NULL,
    CONSTRAINT boxes_number_check CHECK (((number >= 1) AND (number <= 999)))
)
WITH (fillfactor='80');

CREATE TABLE public.consignee_names (
    name text NOT NULL COLLATE pg_catalog."C",
    words tsvector GENERATED ALWAYS AS (array_to_tsvector(public.words_of(name))) STORED NOT NULL
);

CREATE TABLE public.consignees (
    code text NOT NULL COLLATE pg_catalog."C",
    content jsonb NOT NULL
);

CREATE TABLE public.courier_papers (
    id bigint NOT NULL,
    turn_id bigint NOT NULL,
    kind text NOT NULL,
    url text NOT NULL,
    sha256 text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.courier_papers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.courier_papers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.couriers (
    id integer NOT NULL,
    provider_id integer NOT NULL,
    name text NOT NULL
);

ALTER TABLE public.couriers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.couriers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.deliveries (
    id bigint NOT NULL,
    endpoint_id integer NOT NULL,
    shipment_id bigint NOT NULL,
    event_id bigint NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    first_at timestamp with time zone,
    last_at timestamp with time zone,
    status integer,
    why text DEFAULT ''::text NOT NULL,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'given_up'::text])))
);

ALTER TABLE public.deliveries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.differences (
    turn_id bigint NOT NULL,
    kind text NOT NULL,
    awb text NOT NULL,
    their_awb text DEFAULT ''::text NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    found_by integer NOT NULL,
    found_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone
);

CREATE TABLE public.endpoints (
    id integer NOT NULL,
    code text NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    facilities integer[],
    sealed_secret bytea NOT NULL,
    sealed_old_secret bytea,
    old_secret_until timestamp with time zone,
    enabled boolean DEFAULT true NOT NULL,
    failing_since timestamp with time zone,
    disabled_at timestamp with time zone,
    disabled_why text DEFAULT ''::text NOT NULL,
    begun_anew_at timestamp with time zone,
    hasten_until timestamp with time zone,
    removed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE public.endpoints ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.endpoints_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.events (
    id bigint NOT NULL,
    uid uuid DEFAULT gen_random_uuid() NOT NULL,
    shipment_id bigint NOT NULL,
    turn_id bigint,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    content jsonb NOT NULL
);

ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.exchanges (
    id bigint NOT NULL,
    turn_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    step text NOT NULL,
    request text NOT NULL,
    status integer NOT NULL,
    answer text NOT NULL,
    duration_ms integer NOT NULL
);

ALTER TABLE public.exchanges ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.exchanges_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.facilities (
    id integer NOT NULL,
    code text NOT NULL,
    content jsonb NOT NULL
);

ALTER TABLE public.facilities ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.facilities_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.handover_boxes (
    handover_id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    turn_id bigint NOT NULL,
    box integer NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL
);

CREATE TABLE public.handovers (
    id bigint NOT NULL,
    facility_id integer NOT NULL,
    courier_id integer NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    opened_by text NOT NULL,
    closed_at timestamp with time zone,
    closed_by text DEFAULT ''::text NOT NULL,
    manifest_id bigint,
    shipments integer DEFAULT 0 NOT NULL,
    boxes integer DEFAULT 0 NOT NULL,
    CONSTRAINT handovers_boxes_check CHECK ((boxes >= 0)),
    CONSTRAINT handovers_shipments_check CHECK ((shipments >= 0))
);

ALTER TABLE public.handovers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.handovers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.idempotency_keys (
    api_key_id integer NOT NULL,
    key text NOT NULL,
    request bytea NOT NULL,
    began_at timestamp with time zone NOT NULL,
    answer bytea
);

CREATE TABLE public.import_mappings (
    headers text NOT NULL,
    mapping jsonb NOT NULL
);

CREATE TABLE public.import_rows (
    import_id bigint NOT NULL,
    "position" integer NOT NULL,
    number text NOT NULL,
    verdict text NOT NULL,
    rows jsonb NOT NULL,
    faults jsonb DEFAULT '[]'::jsonb NOT NULL,
    warnings jsonb DEFAULT '[]'::jsonb NOT NULL,
    changes jsonb DEFAULT '[]'::jsonb NOT NULL,
    hold text DEFAULT ''::text NOT NULL,
    shipment_id bigint,
    CONSTRAINT import_rows_verdict_check CHECK ((verdict = ANY (ARRAY['new'::text, 'same'::text, 'differs'::text, 'faulty'::text, 'taken'::text])))
);

CREATE TABLE public.imports (
    id bigint NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    form text NOT NULL,
    size bigint NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    facilities integer[],
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    state text DEFAULT 'reading'::text NOT NULL,
    headers jsonb DEFAULT '[]'::jsonb NOT NULL,
    mapping jsonb DEFAULT '{}'::jsonb NOT NULL,
    mapping_problem text DEFAULT ''::text NOT NULL,
    unsure text[] DEFAULT '{}'::text[] NOT NULL,
    notes jsonb DEFAULT '[]'::jsonb NOT NULL,
    problem text DEFAULT ''::text NOT NULL,
    schedule boolean DEFAULT false NOT NULL,
    job_id bigint,
    began_at timestamp with time zone,
    ended_at timestamp with time zone,
    done integer DEFAULT 0 NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    held integer DEFAULT 0 NOT NULL,
    scheduled integer DEFAULT 0 NOT NULL,
    CONSTRAINT imports_form_check CHECK ((form = ANY (ARRAY['csv'::text, 'xlsx'::text])))
);

ALTER TABLE public.imports ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.imports_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.installation (
    only_row boolean DEFAULT true NOT NULL,
    id text DEFAULT (gen_random_uuid())::text NOT NULL,
    CONSTRAINT installation_only_row_check CHECK (only_row)
);

CREATE TABLE public.job_items (
    job_id bigint NOT NULL,
    "position" integer NOT NULL,
    shipment_id bigint NOT NULL,
    outcome text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT job_items_outcome_check CHECK ((outcome = ANY (ARRAY[''::text, 'done'::text, 'refused'::text])))
)
WITH (fillfactor='80');

CREATE TABLE public.jobs (
    id bigint NOT NULL,
    kind text NOT NULL,
    input jsonb NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    facilities integer[],
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    starts smallint DEFAULT 0 NOT NULL,
    total integer NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    refused integer DEFAULT 0 NOT NULL,
    result jsonb,
    problem text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.jobs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.key_facilities (
    key_id integer NOT NULL,
    facility_id integer NOT NULL
);

CREATE TABLE public.lanes (
    endpoint_id integer NOT NULL,
    shipment_id bigint NOT NULL,
    due_at timestamp with time zone,
    claimed_at timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE public.manifested (
    turn_id bigint NOT NULL,
    manifest_id bigint NOT NULL
);

CREATE TABLE public.manifests (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    content jsonb NOT NULL
);

ALTER TABLE public.manifests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.manifests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.migrations (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.notices (
    provider_id integer NOT NULL,
    facility_id integer NOT NULL,
    cp_id integer NOT NULL,
    account_code text NOT NULL,
    code integer NOT NULL,
    message text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.pgqueuer (
    id bigint NOT NULL,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    execute_after timestamp with time zone DEFAULT now() NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    slot bigint
);

CREATE SEQUENCE public.pgqueuer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_id_seq OWNED BY public.pgqueuer.id;

CREATE TABLE public.pgqueuer_log (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    job_id bigint NOT NULL,
    status public.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

ALTER TABLE public.pgqueuer_log ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.pgqueuer_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pgqueuer_schedules (
    id bigint NOT NULL,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone DEFAULT now() NOT NULL,
    created timestamp with time zone DEFAULT now() NOT NULL,
    updated timestamp with time zone DEFAULT now() NOT NULL,
    next_run timestamp with time zone DEFAULT now() NOT NULL,
    last_run timestamp with time zone,
    status public.pgqueuer_status DEFAULT 'queued'::public.pgqueuer_status
);

CREATE SEQUENCE public.pgqueuer_schedules_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_schedules_id_seq OWNED BY public.pgqueuer_schedules.id;

CREATE TABLE public.pgqueuer_statistics (
    id bigint NOT NULL,
    created timestamp with time zone DEFAULT date_trunc('sec'::text, now()) NOT NULL,
    count bigint NOT NULL,
    priority integer NOT NULL,
    status public.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE SEQUENCE public.pgqueuer_statistics_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgqueuer_statistics_id_seq OWNED BY public.pgqueuer_statistics.id;

CREATE TABLE public.prints (
    id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    turn_id bigint NOT NULL,
    sha256 text NOT NULL,
    copy integer NOT NULL,
    job_id bigint,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    at timestamp with time zone,
    box integer,
    CONSTRAINT prints_box_check CHECK ((box >= 1)),
    CONSTRAINT prints_copy_check CHECK ((copy >= 1))
);

ALTER TABLE public.prints ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.prints_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reconciliations (
    id integer NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    since timestamp with time zone NOT NULL,
    upto_turn bigint NOT NULL,
    after_turn bigint DEFAULT 0 NOT NULL,
    lease integer DEFAULT 0 NOT NULL,
    leased_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    asked integer DEFAULT 0 NOT NULL,
    unanswered integer DEFAULT 0 NOT NULL,
    taken_in integer DEFAULT 0 NOT NULL,
    ended_at timestamp with time zone,
    problem text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.reconciliations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reconciliations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.restores (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    known_until timestamp with time zone,
    look_from timestamp with time zone NOT NULL,
    careful_until timestamp with time zone NOT NULL
);

ALTER TABLE public.restores ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.restores_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sessions (
    hash bytea NOT NULL,
    user_id integer NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    agent text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.sessions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.shipment_codes (
    code text NOT NULL COLLATE pg_catalog."C",
    shipment_id bigint NOT NULL
);

CREATE TABLE public.shipment_keys (
    shipment_id bigint NOT NULL,
    facility_id integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    number text NOT NULL COLLATE pg_catalog."C",
    order_number text NOT NULL COLLATE pg_catalog."C",
    consignee text NOT NULL COLLATE pg_catalog."C",
    box_count integer NOT NULL,
    weight_g integer NOT NULL,
    value numeric(14,2) NOT NULL
);

CREATE TABLE public.shipment_versions (
    shipment_id bigint NOT NULL,
    version integer NOT NULL,
    digest text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.shipments (
    id bigint NOT NULL,
    facility_id integer NOT NULL,
    provider_id integer NOT NULL,
    number text NOT NULL,
    order_number text NOT NULL,
    consignee text NOT NULL,
    city text NOT NULL,
    box_count integer NOT NULL,
    weight_g integer NOT NULL,
    value numeric(14,2) NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    run integer DEFAULT 0 NOT NULL,
    hold text DEFAULT ''::text NOT NULL,
    cancel_asked boolean DEFAULT false NOT NULL,
    failed_told boolean DEFAULT false NOT NULL,
    dispatched boolean DEFAULT false NOT NULL,
    status text NOT NULL,
    concerns text[] DEFAULT '{}'::text[] NOT NULL,
    warnings text[] DEFAULT '{}'::text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    printed_at timestamp with time zone,
    standing text GENERATED ALWAYS AS (
CASE
    WHEN ((status = 'label_ready'::text) AND (printed_at IS NULL)) THEN 'ready_not_printed'::text
    ELSE status
END) STORED NOT NULL,
    courier_id integer NOT NULL,
    concerned_at timestamp with time zone,
    scheduled_at timestamp with time zone,
    schedule_asked boolean DEFAULT false NOT NULL,
    CONSTRAINT shipments_box_count_check CHECK (((box_count >= 1) AND (box_count <= 999)))
)
WITH (fillfactor='80');

ALTER TABLE public.shipments ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.shipments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.shipping_providers (
    id integer NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    connector jsonb,
    sealed_key bytea,
    revision integer DEFAULT 0 NOT NULL,
    paused_at timestamp with time zone,
    paused_why text DEFAULT ''::text NOT NULL,
    alarmed_at timestamp with time zone,
    alarmed_why text DEFAULT ''::text NOT NULL,
    silent_since timestamp with time zone,
    quiet_until timestamp with time zone,
    paced_until timestamp with time zone,
    CONSTRAINT shipping_providers_check CHECK (((connector IS NULL) = (sealed_key IS NULL)))
);

ALTER TABLE public.shipping_providers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.shipping_providers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.side_calls (
    id bigint NOT NULL,
    provider_id integer NOT NULL,
    until timestamp with time zone NOT NULL,
    waits boolean DEFAULT false NOT NULL
);

ALTER TABLE public.side_calls ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.side_calls_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sign_in_links (
    hash bytea NOT NULL,
    user_id integer,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.sign_in_tries (
    id bigint NOT NULL,
    subject bytea NOT NULL,
    at timestamp with time zone NOT NULL
);

ALTER TABLE public.sign_in_tries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sign_in_tries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.timeline (
    id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    turn_id bigint,
    at timestamp with time zone NOT NULL,
    state text NOT NULL,
    polls_done integer DEFAULT 0 NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    actor text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.timeline ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.timeline_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.to_find (
    shipment_id bigint NOT NULL,
    due_at timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    why text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.transporters (
    shipment_id bigint NOT NULL,
    turn_id bigint NOT NULL,
    invoice text NOT NULL,
    number text NOT NULL,
    told_to text NOT NULL,
    at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone
);

CREATE TABLE public.turn_ends (
    turn_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    facility_id integer NOT NULL,
    cp_id integer NOT NULL,
    account_code text NOT NULL,
    courier_name text NOT NULL,
    ended text NOT NULL,
    took_ms bigint,
    CONSTRAINT turn_ends_ended_check CHECK ((ended = ANY (ARRAY['label'::text, 'refused'::text, 'lapsed'::text])))
);

CREATE TABLE public.turns (
    id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    provider_id integer NOT NULL,
    version integer NOT NULL,
    run integer NOT NULL,
    priority integer NOT NULL,
    cp_id integer,
    account_code text,
    courier_name text,
    reference text NOT NULL,
    state text NOT NULL,
    due_at timestamp with time zone,
    claimed_at timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL,
    asks integer DEFAULT 0 NOT NULL,
    unknowns integer DEFAULT 0 NOT NULL,
    polls_done integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    planned_due timestamp with time zone,
    asked_at timestamp with time zone,
    lapsed_at timestamp with time zone,
    pickup_at timestamp with time zone,
    appointment jsonb,
    facility jsonb,
    awb text DEFAULT ''::text NOT NULL,
    label_url text DEFAULT ''::text NOT NULL,
    label_sha256 text DEFAULT ''::text NOT NULL,
    label_pages integer DEFAULT 0 NOT NULL,
    children jsonb DEFAULT '[]'::jsonb NOT NULL,
    code integer DEFAULT 0 NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    couriers jsonb DEFAULT '[]'::jsonb NOT NULL,
    settled boolean DEFAULT false NOT NULL,
    entered boolean DEFAULT false NOT NULL,
    told_ewaybills jsonb,
    told_expiries jsonb,
    miscount text DEFAULT ''::text NOT NULL,
    CONSTRAINT turns_check CHECK (((priority = 0) = (cp_id IS NULL))),
    CONSTRAINT turns_priority_check CHECK (((priority >= 0) AND (priority <= 3))),
    CONSTRAINT turns_reference_check CHECK ((length(reference) <= 20))
)
WITH (fillfactor='70');

ALTER TABLE public.turns ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.turns_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.uniware_defaults (
    facility_id integer NOT NULL,
    content jsonb NOT NULL
);

CREATE TABLE public.uniware_shipments (
    shipment_id bigint NOT NULL,
    asked bytea NOT NULL
);

CREATE TABLE public.user_facilities (
    user_id integer NOT NULL,
    facility_id integer NOT NULL
);

CREATE TABLE public.users (
    id integer NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    password_hash text DEFAULT ''::text NOT NULL,
    all_facilities boolean DEFAULT true NOT NULL,
    disabled_at timestamp with time zone,
    seen_at timestamp with time zone,
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'dispatcher'::text, 'viewer'::text])))
);

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.pgqueuer ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_schedules ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_schedules_id_seq'::regclass);

ALTER TABLE ONLY public.pgqueuer_statistics ALTER COLUMN id SET DEFAULT nextval('public.pgqueuer_statistics_id_seq'::regclass);

ALTER TABLE ONLY public.afterwards
    ADD CONSTRAINT afterwards_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.afterwards
    ADD CONSTRAINT afterwards_turn_id_kind_invoice_key UNIQUE (turn_id, kind, invoice);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_shipment_id_sha256_key UNIQUE (shipment_id, sha256);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.awbs
    ADD CONSTRAINT awbs_pkey PRIMARY KEY (cp_id, awb);

ALTER TABLE ONLY public.boxes
    ADD CONSTRAINT boxes_pkey PRIMARY KEY (shipment_id, version, number);

ALTER TABLE ONLY public.consignee_names
    ADD CONSTRAINT consignee_names_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.consignees
    ADD CONSTRAINT consignees_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.courier_papers
    ADD CONSTRAINT courier_papers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.courier_papers
    ADD CONSTRAINT courier_papers_turn_id_url_key UNIQUE (turn_id, url);

ALTER TABLE ONLY public.couriers
    ADD CONSTRAINT couriers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.couriers
    ADD CONSTRAINT couriers_provider_id_name_key UNIQUE (provider_id, name);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.differences
    ADD CONSTRAINT differences_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.endpoints
    ADD CONSTRAINT endpoints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_uid_key UNIQUE (uid);

ALTER TABLE ONLY public.exchanges
    ADD CONSTRAINT exchanges_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.facilities
    ADD CONSTRAINT facilities_code_key UNIQUE (code);

ALTER TABLE ONLY public.facilities
    ADD CONSTRAINT facilities_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.handover_boxes
    ADD CONSTRAINT handover_boxes_pkey PRIMARY KEY (handover_id, turn_id, box);

ALTER TABLE ONLY public.handovers
    ADD CONSTRAINT handovers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (api_key_id, key);

ALTER TABLE ONLY public.import_mappings
    ADD CONSTRAINT import_mappings_pkey PRIMARY KEY (headers);

ALTER TABLE ONLY public.import_rows
    ADD CONSTRAINT import_rows_pkey PRIMARY KEY (import_id, "position");

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.job_items
    ADD CONSTRAINT job_items_job_id_shipment_id_key UNIQUE (job_id, shipment_id);

ALTER TABLE ONLY public.job_items
    ADD CONSTRAINT job_items_pkey PRIMARY KEY (job_id, "position");

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.key_facilities
    ADD CONSTRAINT key_facilities_pkey PRIMARY KEY (key_id, facility_id);

ALTER TABLE ONLY public.lanes
    ADD CONSTRAINT lanes_pkey PRIMARY KEY (endpoint_id, shipment_id);

ALTER TABLE ONLY public.manifested
    ADD CONSTRAINT manifested_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.manifests
    ADD CONSTRAINT manifests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (provider_id, facility_id, cp_id, account_code);

ALTER TABLE ONLY public.pgqueuer_log
    ADD CONSTRAINT pgqueuer_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer
    ADD CONSTRAINT pgqueuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_expression_entrypoint_key UNIQUE (expression, entrypoint);

ALTER TABLE ONLY public.pgqueuer_schedules
    ADD CONSTRAINT pgqueuer_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgqueuer_statistics
    ADD CONSTRAINT pgqueuer_statistics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prints
    ADD CONSTRAINT prints_job_id_shipment_id_key UNIQUE (job_id, shipment_id);

ALTER TABLE ONLY public.prints
    ADD CONSTRAINT prints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.prints
    ADD CONSTRAINT prints_shipment_id_sha256_copy_key UNIQUE (shipment_id, sha256, copy);

ALTER TABLE ONLY public.reconciliations
    ADD CONSTRAINT reconciliations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.restores
    ADD CONSTRAINT restores_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_id_key UNIQUE (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.shipment_codes
    ADD CONSTRAINT shipment_codes_pkey PRIMARY KEY (code, shipment_id);

ALTER TABLE ONLY public.shipment_keys
    ADD CONSTRAINT shipment_keys_pkey PRIMARY KEY (shipment_id);

ALTER TABLE ONLY public.shipment_versions
    ADD CONSTRAINT shipment_versions_pkey PRIMARY KEY (shipment_id, version);

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_facility_id_number_key UNIQUE (facility_id, number);

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.shipping_providers
    ADD CONSTRAINT shipping_providers_code_key UNIQUE (code);

ALTER TABLE ONLY public.shipping_providers
    ADD CONSTRAINT shipping_providers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.side_calls
    ADD CONSTRAINT side_calls_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT sign_in_links_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.sign_in_tries
    ADD CONSTRAINT sign_in_tries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.timeline
    ADD CONSTRAINT timeline_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.to_find
    ADD CONSTRAINT to_find_pkey PRIMARY KEY (shipment_id);

ALTER TABLE ONLY public.transporters
    ADD CONSTRAINT transporters_pkey PRIMARY KEY (turn_id, invoice, number);

ALTER TABLE ONLY public.turn_ends
    ADD CONSTRAINT turn_ends_pkey PRIMARY KEY (turn_id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_shipment_id_run_priority_key UNIQUE (shipment_id, run, priority);

ALTER TABLE ONLY public.uniware_defaults
    ADD CONSTRAINT uniware_defaults_pkey PRIMARY KEY (facility_id);

ALTER TABLE ONLY public.uniware_shipments
    ADD CONSTRAINT uniware_shipments_pkey PRIMARY KEY (shipment_id);

ALTER TABLE ONLY public.user_facilities
    ADD CONSTRAINT user_facilities_pkey PRIMARY KEY (user_id, facility_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX afterwards_by_shipment ON public.afterwards USING btree (shipment_id);

CREATE INDEX afterwards_due ON public.afterwards USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX attachments_by_file ON public.attachments USING btree (sha256);

CREATE INDEX audit_by_action ON public.audit USING btree (action, id);

CREATE INDEX audit_by_actor ON public.audit USING btree (actor, id);

CREATE INDEX audit_by_facility ON public.audit USING btree (facility_id, id);

CREATE INDEX audit_by_shipment ON public.audit USING btree (shipment_id, id) WHERE (shipment_id IS NOT NULL);

CREATE INDEX audit_by_subject ON public.audit USING btree (subject, id) WHERE (shipment_id IS NULL);

CREATE INDEX consignee_names_by_word ON public.consignee_names USING gin (words) WITH (fastupdate=off);

CREATE INDEX deliveries_given_up ON public.deliveries USING btree (endpoint_id, id) WHERE (state = 'given_up'::text);

CREATE INDEX deliveries_of_endpoint ON public.deliveries USING btree (endpoint_id, id);

CREATE INDEX deliveries_of_event ON public.deliveries USING btree (event_id);

CREATE INDEX deliveries_waiting ON public.deliveries USING btree (endpoint_id, shipment_id, id) WHERE (state = 'waiting'::text);

CREATE INDEX differences_by_round ON public.differences USING btree (found_by);

CREATE INDEX differences_open ON public.differences USING btree (found_at) WHERE ((settled_at IS NULL) AND (kind <> 'taken_in'::text));

CREATE UNIQUE INDEX endpoints_by_code ON public.endpoints USING btree (code) WHERE (removed_at IS NULL);

CREATE INDEX events_by_time ON public.events USING btree (at);

CREATE INDEX events_of_shipment ON public.events USING btree (shipment_id, id);

CREATE INDEX exchanges_by_turn ON public.exchanges USING btree (turn_id, id);

CREATE INDEX handover_boxes_of ON public.handover_boxes USING btree (shipment_id);

CREATE INDEX handovers_closed ON public.handovers USING btree (facility_id, id) WHERE (closed_at IS NOT NULL);

CREATE UNIQUE INDEX handovers_open ON public.handovers USING btree (facility_id, courier_id) WHERE (closed_at IS NULL);

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (began_at);

CREATE INDEX import_rows_by_shipment ON public.import_rows USING btree (shipment_id, import_id) WHERE (shipment_id IS NOT NULL);

CREATE INDEX import_rows_by_verdict ON public.import_rows USING btree (import_id, verdict, "position");

CREATE INDEX imports_by_actor ON public.imports USING btree (actor, id);

CREATE INDEX job_items_open ON public.job_items USING btree (job_id, "position") WHERE (outcome = ''::text);

CREATE INDEX jobs_by_actor ON public.jobs USING btree (actor, id);

CREATE INDEX jobs_open ON public.jobs USING btree (id) WHERE (ended_at IS NULL);

CREATE INDEX lanes_claimed ON public.lanes USING btree (endpoint_id) WHERE (claimed_at IS NOT NULL);

CREATE INDEX lanes_due ON public.lanes USING btree (endpoint_id, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX manifested_of_manifest ON public.manifested USING btree (manifest_id);

CREATE INDEX pgqueuer_ep_ea_idx ON public.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON public.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON public.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON public.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON public.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON public.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON public.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON public.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::public.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON public.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::public.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON public.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON public.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON public.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::public.pgqueuer_status, 'picked'::public.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON public.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::public.pgqueuer_status);

CREATE UNIQUE INDEX reconciliations_one_open ON public.reconciliations USING btree ((true)) WHERE (ended_at IS NULL);

CREATE INDEX sessions_by_user ON public.sessions USING btree (user_id);

CREATE INDEX shipment_keys_by_boxes ON public.shipment_keys USING btree (box_count, shipment_id);

CREATE INDEX shipment_keys_by_consignee ON public.shipment_keys USING btree (consignee, shipment_id);

CREATE INDEX shipment_keys_by_number ON public.shipment_keys USING btree (number, shipment_id);

CREATE INDEX shipment_keys_by_order ON public.shipment_keys USING btree (order_number, shipment_id);

CREATE INDEX shipment_keys_by_value ON public.shipment_keys USING btree (value, shipment_id);

CREATE INDEX shipment_keys_by_weight ON public.shipment_keys USING btree (weight_g, shipment_id);

CREATE INDEX shipments_by_courier ON public.shipments USING btree (courier_id, standing, id) INCLUDE (created_at);

CREATE INDEX shipments_by_facility ON public.shipments USING btree (facility_id, courier_id, standing, id) INCLUDE (created_at);

CREATE INDEX shipments_by_status ON public.shipments USING btree (status, id);

CREATE INDEX shipments_concerned ON public.shipments USING btree (concerned_at, id) INCLUDE (facility_id) WHERE (concerned_at IS NOT NULL);

CREATE INDEX shipments_in_flight ON public.shipments USING btree (scheduled_at) INCLUDE (facility_id) WHERE (status = ANY (ARRAY['scheduling'::text, 'label_requested'::text]));

CREATE INDEX side_calls_out ON public.side_calls USING btree (provider_id, until);

CREATE INDEX sign_in_tries_by_age ON public.sign_in_tries USING btree (at);

CREATE INDEX sign_in_tries_by_subject ON public.sign_in_tries USING btree (subject, at);

CREATE INDEX timeline_by_shipment ON public.timeline USING btree (shipment_id, id);

CREATE INDEX to_find_due ON public.to_find USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX transporters_of_shipment ON public.transporters USING btree (shipment_id);

CREATE INDEX transporters_open ON public.transporters USING btree (at) WHERE (settled_at IS NULL);

CREATE INDEX turn_ends_by_time ON public.turn_ends USING btree (at);

CREATE INDEX turns_by_label ON public.turns USING btree (label_sha256) WHERE (label_sha256 <> ''::text);

CREATE INDEX turns_due ON public.turns USING btree (provider_id, due_at) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX turns_one_holder ON public.turns USING btree (shipment_id) WHERE (state = ANY (ARRAY['fetching'::text, 'unlabelled'::text, 'won'::text, 'returning'::text, 'unreturned'::text, 'returned'::text]));

CREATE UNIQUE INDEX turns_one_open ON public.turns USING btree (shipment_id) WHERE (state = ANY (ARRAY['ranking'::text, 'asking'::text, 'unclear'::text, 'waiting'::text, 'undecided'::text]));

CREATE INDEX turns_out ON public.turns USING btree (provider_id, claimed_at) WHERE (claimed_at IS NOT NULL);

CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.audit_stays();

CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_stays();

CREATE TRIGGER tg_pgqueuer_changed AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON public.pgqueuer FOR EACH STATEMENT EXECUTE FUNCTION public.fn_pgqueuer_changed();

ALTER TABLE ONLY public.afterwards
    ADD CONSTRAINT afterwards_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.afterwards
    ADD CONSTRAINT afterwards_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.awbs
    ADD CONSTRAINT awbs_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.boxes
    ADD CONSTRAINT boxes_shipment_id_version_fkey FOREIGN KEY (shipment_id, version) REFERENCES public.shipment_versions(shipment_id, version) ON DELETE CASCADE;

ALTER TABLE ONLY public.courier_papers
    ADD CONSTRAINT courier_papers_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.couriers
    ADD CONSTRAINT couriers_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.shipping_providers(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.endpoints(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.events(id);

ALTER TABLE ONLY public.differences
    ADD CONSTRAINT differences_found_by_fkey FOREIGN KEY (found_by) REFERENCES public.reconciliations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.differences
    ADD CONSTRAINT differences_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id);

ALTER TABLE ONLY public.exchanges
    ADD CONSTRAINT exchanges_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handover_boxes
    ADD CONSTRAINT handover_boxes_handover_id_fkey FOREIGN KEY (handover_id) REFERENCES public.handovers(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handover_boxes
    ADD CONSTRAINT handover_boxes_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.handovers
    ADD CONSTRAINT handovers_facility_id_fkey FOREIGN KEY (facility_id) REFERENCES public.facilities(id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES public.api_keys(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.import_rows
    ADD CONSTRAINT import_rows_import_id_fkey FOREIGN KEY (import_id) REFERENCES public.imports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.import_rows
    ADD CONSTRAINT import_rows_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.job_items
    ADD CONSTRAINT job_items_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.key_facilities
    ADD CONSTRAINT key_facilities_facility_id_fkey FOREIGN KEY (facility_id) REFERENCES public.facilities(id);

ALTER TABLE ONLY public.key_facilities
    ADD CONSTRAINT key_facilities_key_id_fkey FOREIGN KEY (key_id) REFERENCES public.api_keys(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.lanes
    ADD CONSTRAINT lanes_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.endpoints(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.manifested
    ADD CONSTRAINT manifested_manifest_id_fkey FOREIGN KEY (manifest_id) REFERENCES public.manifests(id);

ALTER TABLE ONLY public.manifested
    ADD CONSTRAINT manifested_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_facility_id_fkey FOREIGN KEY (facility_id) REFERENCES public.facilities(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.shipping_providers(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.prints
    ADD CONSTRAINT prints_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.prints
    ADD CONSTRAINT prints_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.prints
    ADD CONSTRAINT prints_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.shipment_keys
    ADD CONSTRAINT shipment_keys_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.shipment_versions
    ADD CONSTRAINT shipment_versions_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_facility_id_fkey FOREIGN KEY (facility_id) REFERENCES public.facilities(id);

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.shipping_providers(id);

ALTER TABLE ONLY public.side_calls
    ADD CONSTRAINT side_calls_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.shipping_providers(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT sign_in_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.timeline
    ADD CONSTRAINT timeline_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.timeline
    ADD CONSTRAINT timeline_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.to_find
    ADD CONSTRAINT to_find_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.transporters
    ADD CONSTRAINT transporters_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.turn_ends
    ADD CONSTRAINT turn_ends_turn_id_fkey FOREIGN KEY (turn_id) REFERENCES public.turns(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.shipping_providers(id);

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.turns
    ADD CONSTRAINT turns_shipment_id_version_fkey FOREIGN KEY (shipment_id, version) REFERENCES public.shipment_versions(shipment_id, version) ON DELETE CASCADE;

ALTER TABLE ONLY public.uniware_defaults
    ADD CONSTRAINT uniware_defaults_facility_id_fkey FOREIGN KEY (facility_id) REFERENCES public.facilities(id);

ALTER TABLE ONLY public.uniware_shipments
    ADD CONSTRAINT uniware_shipments_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_facilities
    ADD CONSTRAINT user_facilities_facility_id_fkey FOREIGN KEY (facility_id) REFERENCES public.facilities(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_facilities
    ADD CONSTRAINT user_facilities_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
