BEGIN TRANSACTION;
CREATE TABLE aliases (
	model INTEGER NOT NULL, 
	alias TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (model, alias), 
	FOREIGN KEY(model) REFERENCES models (id) ON DELETE CASCADE, 
	FOREIGN KEY(version) REFERENCES versions (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE chunks (
	id INTEGER NOT NULL, 
	run BIGINT NOT NULL, 
	"key" BIGINT NOT NULL, 
	is_tail SMALLINT NOT NULL, 
	count INTEGER NOT NULL, 
	min_step BIGINT NOT NULL, 
	max_step BIGINT NOT NULL, 
	min_ms BIGINT NOT NULL, 
	max_ms BIGINT NOT NULL, 
	level SMALLINT, 
	sample BLOB, 
	points BLOB NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "chunks" VALUES(1,1,3,0,600,0,599,0,599,8,X'035ABE2AE263303CA7C378598DD1908142402D7348724603430303103530687CD16060D360D06070B0776070002200',X'04812D8D3958020000000000000000000000010000000000000000000000000000000001000000000000000200000000000000000000021E000000636020001A18D021010D18EA1B086918D581140284020B3D360669E80200023D00000063B8F0E0C5872F3FFE3030B1B07170F1F009080A098B888A894B484A49CBC8CAC92B28282A2A29292BABA8A8AAAAA9A9AB6B68308CEA180D2B82A90400021000000063B0870007A201C3A88ED1B022180200');
INSERT INTO "chunks" VALUES(2,1,3,1,1,600,600,600,600,NULL,NULL,X'02667A51E458020000000000005802000000000000000000000000E03F');
INSERT INTO "chunks" VALUES(3,1,3,1,1,601,601,601,601,NULL,NULL,X'02D08E1CCB59020000000000005902000000000000000000000000E03F');
INSERT INTO "chunks" VALUES(4,1,3,1,1,602,602,602,602,NULL,NULL,X'020A93CABA5A020000000000005A02000000000000000000000000E03F');
CREATE TABLE datasets (
	id INTEGER NOT NULL, 
	experiment INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	source TEXT NOT NULL, 
	schema TEXT, 
	profile TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (experiment, name, digest), 
	FOREIGN KEY(experiment) REFERENCES experiments (id)
);
CREATE TABLE deletions (
	kind TEXT NOT NULL, 
	number BIGINT NOT NULL, 
	at_ms BIGINT NOT NULL, 
	PRIMARY KEY (kind, number)
)
 WITHOUT ROWID

;
INSERT INTO "deletions" VALUES('experiment',1,1700000000000);
CREATE TABLE drupe_schema (
	version INTEGER NOT NULL, 
	applied_ms BIGINT NOT NULL, 
	release TEXT NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "drupe_schema" VALUES(4,1700000000000,'0.1.0');
CREATE TABLE experiment_tags (
	experiment INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (experiment, "key"), 
	FOREIGN KEY(experiment) REFERENCES experiments (id)
)
 WITHOUT ROWID

;
CREATE TABLE experiments (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	artifact_location TEXT NOT NULL, 
	is_deleted SMALLINT NOT NULL, 
	created_ms BIGINT NOT NULL, 
	updated_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(0,'Default','file:///artifacts/0',0,1700000000000,1700000000000);
INSERT INTO "experiments" VALUES(1,'gone','file:///artifacts/1',1,1700000000000,1700000000000);
CREATE TABLE heartbeats (
	run INTEGER NOT NULL, 
	writer TEXT NOT NULL, 
	at_ms BIGINT NOT NULL, 
	interval_ms BIGINT NOT NULL, 
	host TEXT NOT NULL, 
	pid BIGINT NOT NULL, 
	boot_id TEXT NOT NULL, 
	PRIMARY KEY (run, writer), 
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID

;
INSERT INTO "heartbeats" VALUES(1,'w1',7,5000,'box',4711,'b00t');
CREATE TABLE input_tags (
	input INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (input, number), 
	FOREIGN KEY(input) REFERENCES inputs (id)
)
 WITHOUT ROWID

;
CREATE TABLE inputs (
	id INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	dataset INTEGER NOT NULL, 
	context TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (run, dataset), 
	FOREIGN KEY(run) REFERENCES runs (id), 
	FOREIGN KEY(dataset) REFERENCES datasets (id)
);
CREATE TABLE keys (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "keys" VALUES(1,'mlflow.runName');
INSERT INTO "keys" VALUES(2,'alpha');
INSERT INTO "keys" VALUES(3,'loss');
CREATE TABLE logged_model_metrics (
	model INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	dataset_name TEXT NOT NULL, 
	dataset_digest TEXT NOT NULL, 
	value DOUBLE, 
	step BIGINT NOT NULL, 
	ms BIGINT NOT NULL, 
	PRIMARY KEY (model, "key", run, dataset_name, dataset_digest), 
	FOREIGN KEY(model) REFERENCES logged_models (id), 
	FOREIGN KEY("key") REFERENCES keys (id), 
	FOREIGN KEY(run) REFERENCES runs (id)
)
 WITHOUT ROWID

;
INSERT INTO "logged_model_metrics" VALUES(1,3,1,'iris','d1',0.5,602,602);
CREATE TABLE logged_model_params (
	model INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (model, "key"), 
	FOREIGN KEY(model) REFERENCES logged_models (id)
)
 WITHOUT ROWID

;
INSERT INTO "logged_model_params" VALUES(1,'depth','3');
CREATE TABLE logged_model_tags (
	model INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (model, "key"), 
	FOREIGN KEY(model) REFERENCES logged_models (id)
)
 WITHOUT ROWID

;
INSERT INTO "logged_model_tags" VALUES(1,'team','red');
CREATE TABLE logged_model_ties (
	run INTEGER NOT NULL, 
	is_output SMALLINT NOT NULL, 
	model INTEGER NOT NULL, 
	step BIGINT NOT NULL, 
	PRIMARY KEY (run, is_output, model), 
	FOREIGN KEY(run) REFERENCES runs (id), 
	FOREIGN KEY(model) REFERENCES logged_models (id)
)
 WITHOUT ROWID

;
INSERT INTO "logged_model_ties" VALUES(1,1,1,3);
CREATE TABLE logged_models (
	id INTEGER NOT NULL, 
	model_id TEXT NOT NULL, 
	experiment INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	artifact_location TEXT NOT NULL, 
	created_ms BIGINT NOT NULL, 
	updated_ms BIGINT NOT NULL, 
	status TEXT NOT NULL, 
	status_message TEXT, 
	model_type TEXT, 
	source_run_id TEXT, 
	is_deleted SMALLINT NOT NULL, 
	request BLOB, 
	PRIMARY KEY (id), 
	UNIQUE (model_id), 
	FOREIGN KEY(experiment) REFERENCES experiments (id)
);
INSERT INTO "logged_models" VALUES(1,'m-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',0,'pie','file:///artifacts/0/models/m-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/artifacts',1700000000000,1700000000000,'PENDING',NULL,'tree','apple',0,X'1092AF257B58CAF719C12313CC9E2E7E');
CREATE TABLE model_tags (
	model INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (model, "key"), 
	FOREIGN KEY(model) REFERENCES models (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE models (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	created_ms BIGINT NOT NULL, 
	updated_ms BIGINT NOT NULL, 
	highest BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
CREATE TABLE origins (
	writer TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	PRIMARY KEY (writer)
)
 WITHOUT ROWID

;
INSERT INTO "origins" VALUES('w1',3);
CREATE TABLE params (
	run INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	value TEXT NOT NULL, 
	experiment BIGINT NOT NULL, 
	start_ms BIGINT NOT NULL, 
	PRIMARY KEY (run, "key"), 
	FOREIGN KEY(run) REFERENCES runs (id), 
	FOREIGN KEY("key") REFERENCES keys (id)
)
 WITHOUT ROWID

;
INSERT INTO "params" VALUES(1,2,'1',0,5);
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	run_id TEXT NOT NULL, 
	experiment INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	status TEXT NOT NULL, 
	start_ms BIGINT NOT NULL, 
	end_ms BIGINT, 
	is_deleted SMALLINT NOT NULL, 
	artifact_uri TEXT NOT NULL, 
	request BLOB, 
	PRIMARY KEY (id), 
	UNIQUE (run_id), 
	FOREIGN KEY(experiment) REFERENCES experiments (id)
);
INSERT INTO "runs" VALUES(1,'apple',0,'first','','RUNNING',5,NULL,0,'file:///artifacts/0/apple/artifacts',X'069E0D09D723A7DFE85CADB1E6A6B638');
CREATE TABLE series (
	run INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	count BIGINT NOT NULL, 
	nans BIGINT NOT NULL, 
	first DOUBLE, 
	first_step BIGINT NOT NULL, 
	first_ms BIGINT NOT NULL, 
	last DOUBLE, 
	last_step BIGINT NOT NULL, 
	last_ms BIGINT NOT NULL, 
	min DOUBLE, 
	max DOUBLE, 
	argmin BIGINT, 
	argmax BIGINT, 
	mean DOUBLE, 
	total BLOB NOT NULL, 
	tail_rows INTEGER NOT NULL, 
	tail_points INTEGER NOT NULL, 
	experiment BIGINT NOT NULL, 
	start_ms BIGINT NOT NULL, 
	PRIMARY KEY (run, "key"), 
	FOREIGN KEY(run) REFERENCES runs (id), 
	FOREIGN KEY("key") REFERENCES keys (id)
)
 WITHOUT ROWID

;
INSERT INTO "series" VALUES(1,3,603,0,0.0,0,0,0.5,602,602,0.0,12.25,0,49,6.09701492537313427533e+00,X'0000000000B9AC40',3,3,0,5);
CREATE TABLE tags (
	run INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	value TEXT NOT NULL, 
	experiment BIGINT NOT NULL, 
	start_ms BIGINT NOT NULL, 
	PRIMARY KEY (run, "key"), 
	FOREIGN KEY(run) REFERENCES runs (id), 
	FOREIGN KEY("key") REFERENCES keys (id)
)
 WITHOUT ROWID

;
INSERT INTO "tags" VALUES(1,1,'first',0,5);
CREATE TABLE version_tags (
	version INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (version, "key"), 
	FOREIGN KEY(version) REFERENCES versions (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE versions (
	id INTEGER NOT NULL, 
	model INTEGER NOT NULL, 
	version BIGINT NOT NULL, 
	source TEXT NOT NULL, 
	run_id TEXT, 
	description TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	status TEXT NOT NULL, 
	status_message TEXT NOT NULL, 
	run_link TEXT NOT NULL, 
	created_ms BIGINT NOT NULL, 
	updated_ms BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (model, version), 
	FOREIGN KEY(model) REFERENCES models (id) ON DELETE CASCADE
);
CREATE INDEX chunks_by_step ON chunks (run, "key", min_step, max_step, count, level);
CREATE INDEX logged_models_by_creation ON logged_models (is_deleted, created_ms DESC, model_id, experiment);
CREATE INDEX logged_models_by_experiment ON logged_models (experiment, is_deleted, created_ms DESC, model_id);
CREATE INDEX logged_models_by_name ON logged_models (name, experiment, is_deleted, created_ms DESC, model_id);
CREATE INDEX logged_models_by_run ON logged_models (source_run_id, experiment, is_deleted, created_ms DESC, model_id);
CREATE INDEX runs_by_end ON runs (end_ms, start_ms DESC, is_deleted, experiment);
CREATE INDEX runs_by_experiment ON runs (experiment, is_deleted, start_ms DESC, run_id);
CREATE INDEX runs_by_name ON runs (name, start_ms DESC, is_deleted, experiment);
CREATE INDEX runs_by_start ON runs (is_deleted, start_ms DESC, run_id, experiment);
CREATE INDEX runs_by_status ON runs (status, start_ms DESC, is_deleted, experiment);
CREATE INDEX runs_by_user ON runs (user_id, start_ms DESC, is_deleted, experiment);
CREATE INDEX ix_versions_run_id ON versions (run_id);
CREATE INDEX versions_by_update ON versions (updated_ms DESC);
CREATE INDEX ix_aliases_version ON aliases (version);
CREATE INDEX ix_inputs_dataset ON inputs (dataset);
CREATE INDEX ix_logged_model_ties_model ON logged_model_ties (model);
CREATE INDEX params_by_value ON params ("key", substr(value, 1, 64), start_ms DESC, run, experiment);
CREATE INDEX params_long ON params ("key") WHERE value != substr(value, 1, 64);
CREATE INDEX series_by_last ON series ("key", last DESC, start_ms DESC, run, experiment);
CREATE INDEX tags_by_value ON tags ("key", substr(value, 1, 64), start_ms DESC, run, experiment);
CREATE INDEX tags_long ON tags ("key") WHERE value != substr(value, 1, 64);
COMMIT;
