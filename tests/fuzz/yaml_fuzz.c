/* YAML of every key: the tree, and the values the table of settings makes of it. The first byte chooses the kind of
 * file: sluice.yaml's keys, a source's, a model's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "project/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const SettingScope scopes[] = {SCOPE_PROJECT, SCOPE_SOURCE, SCOPE_MODEL, SCOPE_CHECK};
    if (size == 0)
        return 0;
    Project project = {0};
    Errors errors = {0};
    Error err = {0};
    YamlNode *root = NULL;
    Values values;
    Reading reading = {.project = &project, .errors = &errors, .prefix = ""};
    reading.environment = (Environment){&project.arena, "/nonexistent", {.arena = &project.arena}};
    reading.zones = (Index){.arena = &project.arena};
    YamlSource source = {"fuzz.yaml", (const char *)data + 1, size - 1, 0, 0};
    if (yaml_read(&reading.scratch, &source, &root, &err))
        values_read(&reading, scopes[data[0] % 4], VALUES_FILLED, "fuzz.yaml", root, &values);
    else if (err.line < 0 || err.column < 0 || !err.message)
        abort();
    error_clear(&err);
    errors_clear(&errors);
    arena_clear(&reading.scratch);
    project_clear(&project);
    return 0;
}
