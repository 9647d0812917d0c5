#pragma once

#include "tests/contract/metadata_fixture.h"

/* Runs the suite that every driver must pass. Returns the number of failed tests. */
int metadata_contract_run(const struct metadata_driver *driver);

/* Its second half: names, tags' histories, uploads. */
int metadata_contract_run_lists(const struct metadata_driver *driver);

/* For both: a test on an open, empty database. The driver is the group's state. */
int metadata_contract_set_up(void **state);
int metadata_contract_tear_down(void **state);
void metadata_contract_use(const struct metadata_driver *driver);
