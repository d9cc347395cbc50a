/* A model's file up to its SQL: front matter found, read as YAML, and its checks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "project/check.h"
#include "project/front_matter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_model(Reading *reading, const FrontMatter *front, Error *err)
{
    static const char *const columns[] = {"a", "b", "default"};
    YamlNode *root = NULL;
    Values values;
    Node node = {.kind = NODE_MODEL, .name = "fuzz"};
    if (!yaml_read(&reading->scratch, &front->yaml, &root, err))
        return;
    values_read(reading, SCOPE_MODEL, VALUES_FILLED, "fuzz.sql", root, &values);
    checks_read(reading, &values.items[KEY_MODEL_CHECKS], (Strings){(const char **)columns, 3}, &node);
    for (size_t i = 0; i < node.check_count; i++)
        if (!node.checks[i].name)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Project project = {0};
    Errors errors = {0};
    Error err = {0};
    FrontMatter front;
    Reading reading = {.project = &project, .errors = &errors, .prefix = ""};
    reading.environment = (Environment){&project.arena, "/nonexistent", {.arena = &project.arena}};
    reading.zones = (Index){.arena = &project.arena};
    char *text = arena_strndup(&reading.scratch, (const char *)data, size);
    if (front_matter_find(&reading.scratch, "fuzz.sql", text, &front, &err)) {
        if (front.sql < text || front.sql > text + strlen(text) || front.sql_line < 1)
            abort();
        if (front.yaml.text)
            read_model(&reading, &front, &err);
    } else if (!err.message || err.line < 1) {
        abort();
    }
    error_clear(&err);
    errors_clear(&errors);
    arena_clear(&reading.scratch);
    project_clear(&project);
    return 0;
}
