SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.aliases (
    model bigint NOT NULL,
    alias text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL
);
CREATE TABLE public.chunks (
    id bigint NOT NULL,
    run bigint NOT NULL,
    key bigint NOT NULL,
    is_tail smallint NOT NULL,
    count integer NOT NULL,
    min_step bigint NOT NULL,
    max_step bigint NOT NULL,
    min_ms bigint NOT NULL,
    max_ms bigint NOT NULL,
    level smallint,
    sample bytea,
    points bytea NOT NULL
);
CREATE SEQUENCE public.chunks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.chunks_id_seq OWNED BY public.chunks.id;
CREATE TABLE public.datasets (
    id bigint NOT NULL,
    experiment bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    digest text NOT NULL COLLATE pg_catalog."C",
    source_type text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    schema text COLLATE pg_catalog."C",
    profile text COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.datasets_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.datasets_id_seq OWNED BY public.datasets.id;
CREATE TABLE public.deletions (
    kind text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    at_ms bigint NOT NULL
);
CREATE TABLE public.drupe_schema (
    version integer NOT NULL,
    applied_ms bigint NOT NULL,
    release text NOT NULL
);
CREATE TABLE public.experiment_tags (
    experiment bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.experiments (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    artifact_location text NOT NULL COLLATE pg_catalog."C",
    is_deleted smallint NOT NULL,
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL
);
CREATE SEQUENCE public.experiments_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.experiments_id_seq OWNED BY public.experiments.id;
CREATE TABLE public.heartbeats (
    run bigint NOT NULL,
    writer text NOT NULL COLLATE pg_catalog."C",
    at_ms bigint NOT NULL,
    interval_ms bigint NOT NULL,
    host text NOT NULL COLLATE pg_catalog."C",
    pid bigint NOT NULL,
    boot_id text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.input_tags (
    input bigint NOT NULL,
    number integer NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.inputs (
    id bigint NOT NULL,
    run bigint NOT NULL,
    dataset bigint NOT NULL,
    context text COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.inputs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.inputs_id_seq OWNED BY public.inputs.id;
CREATE TABLE public.keys (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);
CREATE SEQUENCE public.keys_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.keys_id_seq OWNED BY public.keys.id;
CREATE TABLE public.logged_model_metrics (
    model bigint NOT NULL,
    key bigint NOT NULL,
    run bigint NOT NULL,
    dataset_name text NOT NULL COLLATE pg_catalog."C",
    dataset_digest text NOT NULL COLLATE pg_catalog."C",
    value double precision,
    step bigint NOT NULL,
    ms bigint NOT NULL
);
CREATE TABLE public.logged_model_params (
    model bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.logged_model_tags (
    model bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.logged_model_ties (
    run bigint NOT NULL,
    is_output smallint NOT NULL,
    model bigint NOT NULL,
    step bigint NOT NULL
);
CREATE TABLE public.logged_models (
    id bigint NOT NULL,
    model_id text NOT NULL COLLATE pg_catalog."C",
    experiment bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    artifact_location text NOT NULL COLLATE pg_catalog."C",
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    status_message text COLLATE pg_catalog."C",
    model_type text COLLATE pg_catalog."C",
    source_run_id text COLLATE pg_catalog."C",
    is_deleted smallint NOT NULL,
    request bytea
);
CREATE SEQUENCE public.logged_models_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.logged_models_id_seq OWNED BY public.logged_models.id;
CREATE TABLE public.model_tags (
    model bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.models (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL,
    highest bigint NOT NULL
);
CREATE SEQUENCE public.models_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.models_id_seq OWNED BY public.models.id;
CREATE TABLE public.origins (
    writer text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL
);
CREATE TABLE public.params (
    run bigint NOT NULL,
    key bigint NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    experiment bigint NOT NULL,
    start_ms bigint NOT NULL
);
CREATE TABLE public.runs (
    id bigint NOT NULL,
    run_id text NOT NULL COLLATE pg_catalog."C",
    experiment bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    start_ms bigint NOT NULL,
    end_ms bigint,
    is_deleted smallint NOT NULL,
    artifact_uri text NOT NULL COLLATE pg_catalog."C",
    request bytea
);
CREATE SEQUENCE public.runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.runs_id_seq OWNED BY public.runs.id;
CREATE TABLE public.series (
    run bigint NOT NULL,
    key bigint NOT NULL,
    count bigint NOT NULL,
    nans bigint NOT NULL,
    first double precision,
    first_step bigint NOT NULL,
    first_ms bigint NOT NULL,
    last double precision,
    last_step bigint NOT NULL,
    last_ms bigint NOT NULL,
    min double precision,
    max double precision,
    argmin bigint,
    argmax bigint,
    mean double precision,
    total bytea NOT NULL,
    tail_rows integer NOT NULL,
    tail_points integer NOT NULL,
    experiment bigint NOT NULL,
    start_ms bigint NOT NULL
);
CREATE TABLE public.tags (
    run bigint NOT NULL,
    key bigint NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C",
    experiment bigint NOT NULL,
    start_ms bigint NOT NULL
);
CREATE TABLE public.version_tags (
    version bigint NOT NULL,
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.versions (
    id bigint NOT NULL,
    model bigint NOT NULL,
    version bigint NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    run_id text COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    user_id text NOT NULL COLLATE pg_catalog."C",
    stage text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    status_message text NOT NULL COLLATE pg_catalog."C",
    run_link text NOT NULL COLLATE pg_catalog."C",
    created_ms bigint NOT NULL,
    updated_ms bigint NOT NULL
);
CREATE SEQUENCE public.versions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.versions_id_seq OWNED BY public.versions.id;
ALTER TABLE ONLY public.chunks ALTER COLUMN id SET DEFAULT nextval('public.chunks_id_seq'::regclass);
ALTER TABLE ONLY public.datasets ALTER COLUMN id SET DEFAULT nextval('public.datasets_id_seq'::regclass);
ALTER TABLE ONLY public.experiments ALTER COLUMN id SET DEFAULT nextval('public.experiments_id_seq'::regclass);
ALTER TABLE ONLY public.inputs ALTER COLUMN id SET DEFAULT nextval('public.inputs_id_seq'::regclass);
ALTER TABLE ONLY public.keys ALTER COLUMN id SET DEFAULT nextval('public.keys_id_seq'::regclass);
ALTER TABLE ONLY public.logged_models ALTER COLUMN id SET DEFAULT nextval('public.logged_models_id_seq'::regclass);
ALTER TABLE ONLY public.models ALTER COLUMN id SET DEFAULT nextval('public.models_id_seq'::regclass);
ALTER TABLE ONLY public.runs ALTER COLUMN id SET DEFAULT nextval('public.runs_id_seq'::regclass);
ALTER TABLE ONLY public.versions ALTER COLUMN id SET DEFAULT nextval('public.versions_id_seq'::regclass);
INSERT INTO public.chunks VALUES (1, 1, 3, 0, 600, 0, 599, 0, 599, 8, '\x035abe2ae263303ca7c378598dd1908142402d7348724603430303103530687cd16060d360d06070b0776070002200', '\x04812d8d3958020000000000000000000000010000000000000000000000000000000001000000000000000200000000000000000000021e000000636020001a18d021010d18ea1b086918d581140284020b3d360669e80200023d00000063b8f0e0c5872f3ffe3030b1b07170f1f009080a098b888a894b484a49cbc8cac92b28282a2a29292baba8a8aaaaa9a9ab6b68308cea180d2b82a90400021000000063b0870007a201c3a88ed1b022180200');
INSERT INTO public.chunks VALUES (2, 1, 3, 1, 1, 600, 600, 600, 600, NULL, NULL, '\x02667a51e458020000000000005802000000000000000000000000e03f');
INSERT INTO public.chunks VALUES (3, 1, 3, 1, 1, 601, 601, 601, 601, NULL, NULL, '\x02d08e1ccb59020000000000005902000000000000000000000000e03f');
INSERT INTO public.chunks VALUES (4, 1, 3, 1, 1, 602, 602, 602, 602, NULL, NULL, '\x020a93caba5a020000000000005a02000000000000000000000000e03f');
INSERT INTO public.deletions VALUES ('experiment', 1, 1700000000000);
INSERT INTO public.drupe_schema VALUES (4, 1700000000000, '0.1.0');
INSERT INTO public.experiments VALUES (0, 'Default', 'file:///artifacts/0', 0, 1700000000000, 1700000000000);
INSERT INTO public.experiments VALUES (1, 'gone', 'file:///artifacts/1', 1, 1700000000000, 1700000000000);
INSERT INTO public.heartbeats VALUES (1, 'w1', 7, 5000, 'box', 4711, 'b00t');
INSERT INTO public.keys VALUES (1, 'mlflow.runName');
INSERT INTO public.keys VALUES (2, 'alpha');
INSERT INTO public.keys VALUES (3, 'loss');
INSERT INTO public.logged_model_metrics VALUES (1, 3, 1, 'iris', 'd1', 0.5, 602, 602);
INSERT INTO public.logged_model_params VALUES (1, 'depth', '3');
INSERT INTO public.logged_model_tags VALUES (1, 'team', 'red');
INSERT INTO public.logged_model_ties VALUES (1, 1, 1, 3);
INSERT INTO public.logged_models VALUES (1, 'm-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, 'pie', 'file:///artifacts/0/models/m-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/artifacts', 1700000000000, 1700000000000, 'PENDING', NULL, 'tree', 'apple', 0, '\x1092af257b58caf719c12313cc9e2e7e');
INSERT INTO public.origins VALUES ('w1', 3);
INSERT INTO public.params VALUES (1, 2, '1', 0, 5);
INSERT INTO public.runs VALUES (1, 'apple', 0, 'first', '', 'RUNNING', 5, NULL, 0, 'file:///artifacts/0/apple/artifacts', '\x069e0d09d723a7dfe85cadb1e6a6b638');
INSERT INTO public.series VALUES (1, 3, 603, 0, 0, 0, 0, 0.5, 602, 602, 0, 12.25, 0, 49, 6.097014925373134, '\x0000000000b9ac40', 3, 3, 0, 5);
INSERT INTO public.tags VALUES (1, 1, 'first', 0, 5);
SELECT pg_catalog.setval('public.chunks_id_seq', 4, true);
SELECT pg_catalog.setval('public.datasets_id_seq', 1, false);
SELECT pg_catalog.setval('public.experiments_id_seq', 1, false);
SELECT pg_catalog.setval('public.inputs_id_seq', 1, false);
SELECT pg_catalog.setval('public.keys_id_seq', 3, true);
SELECT pg_catalog.setval('public.logged_models_id_seq', 1, true);
SELECT pg_catalog.setval('public.models_id_seq', 1, false);
SELECT pg_catalog.setval('public.runs_id_seq', 1, true);
SELECT pg_catalog.setval('public.versions_id_seq', 1, false);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT aliases_pkey PRIMARY KEY (model, alias);
ALTER TABLE ONLY public.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT datasets_experiment_name_digest_key UNIQUE (experiment, name, digest);
ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT datasets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.deletions
    ADD CONSTRAINT deletions_pkey PRIMARY KEY (kind, number);
ALTER TABLE ONLY public.drupe_schema
    ADD CONSTRAINT drupe_schema_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.experiment_tags
    ADD CONSTRAINT experiment_tags_pkey PRIMARY KEY (experiment, key);
ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_name_key UNIQUE (name);
ALTER TABLE ONLY public.experiments
    ADD CONSTRAINT experiments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.heartbeats
    ADD CONSTRAINT heartbeats_pkey PRIMARY KEY (run, writer);
ALTER TABLE ONLY public.input_tags
    ADD CONSTRAINT input_tags_pkey PRIMARY KEY (input, number);
ALTER TABLE ONLY public.inputs
    ADD CONSTRAINT inputs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.inputs
    ADD CONSTRAINT inputs_run_dataset_key UNIQUE (run, dataset);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_name_key UNIQUE (name);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_pkey PRIMARY KEY (model, key, run, dataset_name, dataset_digest);
ALTER TABLE ONLY public.logged_model_params
    ADD CONSTRAINT logged_model_params_pkey PRIMARY KEY (model, key);
ALTER TABLE ONLY public.logged_model_tags
    ADD CONSTRAINT logged_model_tags_pkey PRIMARY KEY (model, key);
ALTER TABLE ONLY public.logged_model_ties
    ADD CONSTRAINT logged_model_ties_pkey PRIMARY KEY (run, is_output, model);
ALTER TABLE ONLY public.logged_models
    ADD CONSTRAINT logged_models_model_id_key UNIQUE (model_id);
ALTER TABLE ONLY public.logged_models
    ADD CONSTRAINT logged_models_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.model_tags
    ADD CONSTRAINT model_tags_pkey PRIMARY KEY (model, key);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_name_key UNIQUE (name);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.origins
    ADD CONSTRAINT origins_pkey PRIMARY KEY (writer);
ALTER TABLE ONLY public.params
    ADD CONSTRAINT params_pkey PRIMARY KEY (run, key);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_run_id_key UNIQUE (run_id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (run, key);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (run, key);
ALTER TABLE ONLY public.version_tags
    ADD CONSTRAINT version_tags_pkey PRIMARY KEY (version, key);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_model_version_key UNIQUE (model, version);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_pkey PRIMARY KEY (id);
CREATE INDEX chunks_by_step ON public.chunks USING btree (run, key, min_step, max_step, count, level);
CREATE INDEX ix_aliases_version ON public.aliases USING btree (version);
CREATE INDEX ix_inputs_dataset ON public.inputs USING btree (dataset);
CREATE INDEX ix_logged_model_ties_model ON public.logged_model_ties USING btree (model);
CREATE INDEX ix_versions_run_id ON public.versions USING btree (run_id);
CREATE INDEX logged_models_by_creation ON public.logged_models USING btree (is_deleted, created_ms DESC, model_id, experiment);
CREATE INDEX logged_models_by_experiment ON public.logged_models USING btree (experiment, is_deleted, created_ms DESC, model_id);
CREATE INDEX logged_models_by_name ON public.logged_models USING btree (name, experiment, is_deleted, created_ms DESC, model_id);
CREATE INDEX logged_models_by_run ON public.logged_models USING btree (source_run_id, experiment, is_deleted, created_ms DESC, model_id);
CREATE INDEX params_by_value ON public.params USING btree (key, substr(value, 1, 64), start_ms DESC, run, experiment);
CREATE INDEX params_long ON public.params USING btree (key) WHERE (value <> substr(value, 1, 64));
CREATE INDEX runs_by_end ON public.runs USING btree (end_ms, start_ms DESC, is_deleted, experiment);
CREATE INDEX runs_by_experiment ON public.runs USING btree (experiment, is_deleted, start_ms DESC, run_id);
CREATE INDEX runs_by_name ON public.runs USING btree (name, start_ms DESC, is_deleted, experiment);
CREATE INDEX runs_by_start ON public.runs USING btree (is_deleted, start_ms DESC, run_id, experiment);
CREATE INDEX runs_by_status ON public.runs USING btree (status, start_ms DESC, is_deleted, experiment);
CREATE INDEX runs_by_user ON public.runs USING btree (user_id, start_ms DESC, is_deleted, experiment);
CREATE INDEX series_by_last ON public.series USING btree (key, last DESC, start_ms DESC, run, experiment);
CREATE INDEX tags_by_value ON public.tags USING btree (key, substr(value, 1, 64), start_ms DESC, run, experiment);
CREATE INDEX tags_long ON public.tags USING btree (key) WHERE (value <> substr(value, 1, 64));
CREATE INDEX versions_by_update ON public.versions USING btree (updated_ms DESC);
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT aliases_model_fkey FOREIGN KEY (model) REFERENCES public.models(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.aliases
    ADD CONSTRAINT aliases_version_fkey FOREIGN KEY (version) REFERENCES public.versions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT datasets_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(id);
ALTER TABLE ONLY public.experiment_tags
    ADD CONSTRAINT experiment_tags_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(id);
ALTER TABLE ONLY public.heartbeats
    ADD CONSTRAINT heartbeats_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.input_tags
    ADD CONSTRAINT input_tags_input_fkey FOREIGN KEY (input) REFERENCES public.inputs(id);
ALTER TABLE ONLY public.inputs
    ADD CONSTRAINT inputs_dataset_fkey FOREIGN KEY (dataset) REFERENCES public.datasets(id);
ALTER TABLE ONLY public.inputs
    ADD CONSTRAINT inputs_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_key_fkey FOREIGN KEY (key) REFERENCES public.keys(id);
ALTER TABLE ONLY public.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_model_fkey FOREIGN KEY (model) REFERENCES public.logged_models(id);
ALTER TABLE ONLY public.logged_model_metrics
    ADD CONSTRAINT logged_model_metrics_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.logged_model_params
    ADD CONSTRAINT logged_model_params_model_fkey FOREIGN KEY (model) REFERENCES public.logged_models(id);
ALTER TABLE ONLY public.logged_model_tags
    ADD CONSTRAINT logged_model_tags_model_fkey FOREIGN KEY (model) REFERENCES public.logged_models(id);
ALTER TABLE ONLY public.logged_model_ties
    ADD CONSTRAINT logged_model_ties_model_fkey FOREIGN KEY (model) REFERENCES public.logged_models(id);
ALTER TABLE ONLY public.logged_model_ties
    ADD CONSTRAINT logged_model_ties_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.logged_models
    ADD CONSTRAINT logged_models_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(id);
ALTER TABLE ONLY public.model_tags
    ADD CONSTRAINT model_tags_model_fkey FOREIGN KEY (model) REFERENCES public.models(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.params
    ADD CONSTRAINT params_key_fkey FOREIGN KEY (key) REFERENCES public.keys(id);
ALTER TABLE ONLY public.params
    ADD CONSTRAINT params_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_experiment_fkey FOREIGN KEY (experiment) REFERENCES public.experiments(id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_key_fkey FOREIGN KEY (key) REFERENCES public.keys(id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT series_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_key_fkey FOREIGN KEY (key) REFERENCES public.keys(id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_run_fkey FOREIGN KEY (run) REFERENCES public.runs(id);
ALTER TABLE ONLY public.version_tags
    ADD CONSTRAINT version_tags_version_fkey FOREIGN KEY (version) REFERENCES public.versions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_model_fkey FOREIGN KEY (model) REFERENCES public.models(id) ON DELETE CASCADE;
