/* Statements: the files of sql/, embedded at build time. */
#pragma once

extern const char sql_changes_pending[];
extern const char sql_changes_prune[];
extern const char sql_diff_facts[];
extern const char sql_failed_tables[];
extern const char sql_fence[];
extern const char sql_index_leads[];
extern const char sql_ledger_1[];
extern const char sql_ledger_2[];
extern const char sql_ledger_prune[];
extern const char sql_lock_orphan_end[];
extern const char sql_logs_checks[];
extern const char sql_logs_failed_rows[];
extern const char sql_logs_run[];
extern const char sql_logs_steps[];
extern const char sql_owned_relation[];
extern const char sql_publish[];
extern const char sql_referred_key[];
extern const char sql_relation[];
extern const char sql_runs[];
extern const char sql_runs_running[];
extern const char sql_status[];
extern const char sql_step_end[];
extern const char sql_steps_unchanged[];
extern const char sql_survey_functions[];
extern const char sql_survey_relations[];
extern const char sql_survey_settings[];
extern const char sql_table_columns[];
extern const char sql_table_lock_holder[];
extern const char sql_view_properties[];
