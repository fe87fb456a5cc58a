-- Copyright (c) 2026, the lockstep.sync contributors
-- GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
-- A store as release 1.0.0 made it and filled it.
BEGIN TRANSACTION;
CREATE TABLE lockstep_changes (
	run_id INTEGER NOT NULL,
	position BIGINT NOT NULL,
	object TEXT NOT NULL,
	"key" TEXT NOT NULL,
	number BIGINT NOT NULL,
	action VARCHAR(32) NOT NULL,
	target TEXT,
	"before" TEXT NOT NULL,
	"after" TEXT NOT NULL,
	status VARCHAR(32),
	code VARCHAR(64) NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (run_id, position),
	FOREIGN KEY(run_id) REFERENCES lockstep_runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "lockstep_changes" VALUES(1,1,'people','["1"]',1,'create',NULL,'{}','{"id":"1","photo":{"base64":"AP8="}}','done','','');
INSERT INTO "lockstep_changes" VALUES(1,2,'people','["2"]',2,'update',NULL,'{"name":"Ann"}','{"name":"Anna"}','done','','');
INSERT INTO "lockstep_changes" VALUES(1,3,'people','["3"]',3,'delete',NULL,'{"tags":["a","b"]}','{}','done','','');
CREATE TABLE lockstep_jobs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	name VARCHAR(255) NOT NULL,
	source_provider_id INTEGER NOT NULL,
	destination_provider_id INTEGER NOT NULL,
	definition TEXT NOT NULL,
	created VARCHAR(32) NOT NULL,
	modified VARCHAR(32) NOT NULL,
	UNIQUE (name),
	FOREIGN KEY(source_provider_id) REFERENCES lockstep_providers (id) ON DELETE RESTRICT,
	FOREIGN KEY(destination_provider_id) REFERENCES lockstep_providers (id) ON DELETE RESTRICT
);
INSERT INTO "lockstep_jobs" VALUES(1,'people',1,2,'{"source":{"provider":"hr"},"destination":{"provider":"crm","table":"people"}}','2026-11-21T08:30:00.000000+00:00','2026-11-21T08:30:00.000000+00:00');
CREATE TABLE lockstep_locks (
	name VARCHAR(255) NOT NULL,
	token VARCHAR(64) NOT NULL,
	host VARCHAR(255) NOT NULL,
	pid BIGINT NOT NULL,
	boot_id VARCHAR(64) NOT NULL,
	label TEXT NOT NULL,
	acquired VARCHAR(32) NOT NULL,
	expires VARCHAR(32) NOT NULL,
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
CREATE TABLE lockstep_marks (
	job_id INTEGER NOT NULL,
	object VARCHAR(255) NOT NULL,
	mapping_digest VARCHAR(128) NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (job_id, object),
	FOREIGN KEY(job_id) REFERENCES lockstep_jobs (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "lockstep_marks" VALUES(1,'people','d1','2026-11-20');
CREATE TABLE lockstep_meta (
	name VARCHAR(64) NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "lockstep_meta" VALUES('version','1');
CREATE TABLE lockstep_problems (
	run_id INTEGER NOT NULL,
	position BIGINT NOT NULL,
	object TEXT NOT NULL,
	"key" TEXT NOT NULL,
	level VARCHAR(16) NOT NULL,
	code VARCHAR(64) NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (run_id, position),
	FOREIGN KEY(run_id) REFERENCES lockstep_runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "lockstep_problems" VALUES(1,1,'people','["4"]','error','value','too long');
CREATE TABLE lockstep_provider_secrets (
	provider_id INTEGER NOT NULL,
	option VARCHAR(64) NOT NULL,
	kind VARCHAR(8) NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (provider_id, option),
	FOREIGN KEY(provider_id) REFERENCES lockstep_providers (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "lockstep_provider_secrets" VALUES(1,'password','env','HR');
CREATE TABLE lockstep_providers (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	name VARCHAR(255) NOT NULL,
	type VARCHAR(64) NOT NULL,
	options TEXT NOT NULL,
	created VARCHAR(32) NOT NULL,
	modified VARCHAR(32) NOT NULL,
	UNIQUE (name)
);
INSERT INTO "lockstep_providers" VALUES(1,'hr','csv','{"path":"/data/hr.csv"}','2026-11-21T08:30:00.000000+00:00','2026-11-21T08:30:00.000000+00:00');
INSERT INTO "lockstep_providers" VALUES(2,'crm','sql','{"url":"sqlite:////data/crm.db"}','2026-11-21T08:30:00.000000+00:00','2026-11-21T08:30:00.000000+00:00');
CREATE TABLE lockstep_runs (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	job_id INTEGER,
	job_name VARCHAR(255) NOT NULL,
	status VARCHAR(32) NOT NULL,
	agreement VARCHAR(32),
	message TEXT NOT NULL,
	host VARCHAR(255) NOT NULL,
	pid BIGINT NOT NULL,
	boot_id VARCHAR(64) NOT NULL,
	started VARCHAR(32) NOT NULL,
	finished VARCHAR(32),
	duration DOUBLE,
	statistics TEXT NOT NULL,
	objects TEXT NOT NULL,
	held TEXT NOT NULL,
	log TEXT NOT NULL,
	changes_total BIGINT NOT NULL,
	directory TEXT,
	changes_file TEXT,
	log_file TEXT,
	plan_digest VARCHAR(128),
	FOREIGN KEY(job_id) REFERENCES lockstep_jobs (id) ON DELETE SET NULL
);
INSERT INTO "lockstep_runs" VALUES(1,1,'people','running',NULL,'','web1',1,'b','2026-11-21T08:30:00.000000+00:00',NULL,NULL,'{"read":0,"in_scope":0,"matched":0,"created":0,"updated":0,"moved":0,"renamed":0,"disabled":0,"deleted":0,"unchanged":0,"skipped":0,"conflicts":0,"warnings":0,"errors":0}','[]','[]','[]',0,NULL,NULL,NULL,NULL);
CREATE INDEX ix_lockstep_jobs_source_provider_id ON lockstep_jobs (source_provider_id);
CREATE INDEX ix_lockstep_jobs_destination_provider_id ON lockstep_jobs (destination_provider_id);
CREATE INDEX lockstep_runs_by_name ON lockstep_runs (job_name, id);
CREATE INDEX lockstep_runs_by_status ON lockstep_runs (status, id);
CREATE INDEX lockstep_runs_by_job ON lockstep_runs (job_id, id);
CREATE INDEX lockstep_runs_by_start ON lockstep_runs (started);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('lockstep_providers',2);
INSERT INTO "sqlite_sequence" VALUES('lockstep_jobs',1);
INSERT INTO "sqlite_sequence" VALUES('lockstep_runs',1);
COMMIT;
