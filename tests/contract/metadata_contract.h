#pragma once

#include "tests/contract/metadata_fixture.h"

/* Runs the suite that every driver must pass. Returns the number of failed tests. */
int metadata_contract_run(const struct metadata_driver *driver);

/* Its parts, on the driver that is in use. Lists: names, the newest tag, histories. */
int metadata_contract_run_lists(void);
int metadata_contract_run_referrers(void);
int metadata_contract_run_uploads(void);
int metadata_contract_run_races(void);
int metadata_contract_run_companions(void);
int metadata_contract_run_teams(void);
int metadata_contract_run_sources(void);
int metadata_contract_run_blob_places(void);
int metadata_contract_run_token_keys(void);

/* For all of them: a test on an open, empty database. */
int metadata_contract_set_up(void **state);
int metadata_contract_tear_down(void **state);
