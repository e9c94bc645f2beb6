#include "coordinator/commands/shell_word.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_word(FILE *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./=:,%+@-";
    if (*text && !text[strspn(text, plain)]) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('\'', out);
    for (; *text; text++)
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fputc(*text, out);
    (void)fputc('\'', out);
}

char *nas_shell_word(const char *text, nas_error_t *err)
{
    char *word = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&word, &size);
    if (stream) write_word(stream, text);
    if (stream && fclose(stream) == 0) return word;
    if (stream) free(word);
    (void)nas_error_nomem(err, "a command");
    return NULL;
}

/* Copy the word that begins at *at_p into word, which is as long as the command, without its
 * quotes; *at_p moves behind it. False: a quote is not closed. */
static bool next_word(const char **at_p, char *word)
{
    char quote = '\0';
    const char *at = *at_p;
    for (; *at && (quote || !strchr(" \t\n", *at)); at++) {
        if (*at == quote) {
            quote = '\0';
        } else if (!quote && (*at == '\'' || *at == '"')) {
            quote = *at;
        } else {
            if (*at == '\\' && quote != '\'' && at[1]) at++;
            *word++ = *at;
        }
    }
    *word = '\0';
    *at_p = at;
    return !quote;
}

nas_status_t nas_shell_split(const char *command, nas_strings_t *words, nas_error_t *err)
{
    char *word = malloc(strlen(command) + 1);
    nas_status_t status = word ? NAS_OK : nas_error_nomem(err, "a command");
    for (const char *at = command + strspn(command, " \t\n"); !status && *at;) {
        if (!next_word(&at, word))
            status = nas_error_set(err, NAS_EARG, "a quote is not closed in: %s", command);
        else
            status = nas_strings_add(words, word, strlen(word), err);
        at += strspn(at, " \t\n");
    }
    free(word);
    return status;
}
