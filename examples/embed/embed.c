/* Runs an actor inside another program: starts it from a component file, sends it a message, prints the
 * answer, and verifies the chain that this has made.
 *
 *     embed DATA-FOLDER COMPONENT INPUT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <theater/theater.h>

static uint8_t component[16 << 20];

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[2], "rb") : NULL;
    size_t size = file ? fread(component, 1, sizeof component, file) : 0;
    theater_error error = {.message = "usage: embed DATA-FOLDER COMPONENT INPUT"};
    theater_runtime *runtime = NULL;
    theater_folder *folder = NULL;
    theater_answer answer = {0};
    theater_report report = {0};
    theater_runtime_options options = {.folder = argv[1]};
    theater_actor_options actor = {.name = "guest", .component = {component, size}};
    theater_message message = {.actor = "guest",
                               .input = {(uint8_t *)argv[3], argc == 4 ? strlen(argv[3]) : 0}};

    bool good = size > 0 && !theater_runtime_open(&options, &runtime, &error);
    good = good && !theater_actor_start(runtime, &actor, NULL, &error);
    good = good && !theater_send(runtime, &message, &answer, &error);
    if (good)
        printf("%.*s\n", (int)answer.output.size, (char *)answer.output.data);
    theater_answer_done(&answer);
    theater_runtime_close(runtime);

    good = good && !theater_folder_open(argv[1], &folder, &error);
    good = good && !theater_verify(&(theater_source){.folder = folder}, NULL, &report, &error);
    fprintf(stderr, "%s\n", good ? report.message : error.message);
    theater_folder_close(folder);
    return good && !report.status ? EXIT_SUCCESS : EXIT_FAILURE;
}
