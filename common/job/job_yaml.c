/* YAML 1.1 by libyaml's events, to a tree of located values. What a job file has no use for is
 * refused here, so that a tree is small, finite and says one thing: anchors, aliases, tags, further
 * documents, duplicate keys. */
#include "common/base/text.h"
#include "common/job/job_internal.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A job nests three levels deep and its lists name columns. The limits keep every pass over a tree
 * fast. */
enum { MAX_DEPTH = 8, MAX_ENTRIES = 1000 };

typedef struct parser {
    yaml_parser_t yaml;
    const nas_job_place_t *start;
    const char *text;
    size_t size;
    nas_error_t *err;
} parser_t;

/* Whether a control or line-breaking character of two or three bytes begins here: U+0080 to U+009F,
 * the separators U+2028 and U+2029, the byte order mark, U+FFFE and U+FFFF. */
static bool begins_hidden(const char *text, size_t left)
{
    static const char *const hidden[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf",
                                         "\xef\xbf\xbe", "\xef\xbf\xbf"};
    if (left >= 2 && text[0] == '\xc2' && (unsigned char)text[1] < 0xa0) return true;
    for (size_t i = 0; left >= 3 && i < sizeof hidden / sizeof *hidden; i++)
        if (memcmp(text, hidden[i], 3) == 0) return true;
    return false;
}

bool nas_job_is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f || begins_hidden(text + i, size - i)) return false;
    }
    return true;
}

static nas_job_place_t place_at(const parser_t *parser, const yaml_mark_t *mark)
{
    nas_job_place_t place = *parser->start;
    place.line = mark->line + 1;
    place.column = mark->column + 1;
    return place;
}

static bool ends_line(const parser_t *parser, size_t i)
{
    const char *text = parser->text;
    return text[i] == '\n' || (text[i] == '\r' && !(i + 1 < parser->size && text[i + 1] == '\n'));
}

static bool begins_character(const parser_t *parser, size_t i)
{
    return ((unsigned char)parser->text[i] & 0xc0) != 0x80;
}

/* The line and column, in characters, of a byte of the text. */
static nas_job_place_t place_of_byte(const parser_t *parser, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < parser->size; i++) {
        if (ends_line(parser, i)) {
            mark.line++;
            mark.column = 0;
        } else if (begins_character(parser, i)) {
            mark.column++;
        }
    }
    return place_at(parser, &mark);
}

/* The first tab in the indentation of the line of a mark.
 * offset [out] in bytes. */
static bool find_tab(const parser_t *parser, const yaml_mark_t *mark, size_t *offset)
{
    size_t line = 0, n_characters = 0;
    for (size_t i = 0; i < parser->size; i++) {
        if (begins_character(parser, i) && n_characters++ == mark->index) break;
        if (ends_line(parser, i)) line = i + 1;
    }
    *offset = line + strspn(parser->text + line, " ");
    return parser->text[*offset] == '\t';
}

static nas_status_t refuse(const parser_t *parser, const yaml_mark_t *mark, const char *text)
{
    const nas_job_place_t place = place_at(parser, mark);
    return nas_job_error_at(&place, NULL, parser->err, "%s", text);
}

static nas_status_t encoding_error(const parser_t *parser)
{
    const char *problem = parser->yaml.problem;
    const nas_job_place_t place = place_of_byte(parser, parser->yaml.problem_offset);
    const bool remedy = place.source == NAS_JOB_FILE && strstr(problem, "UTF-8");
    return nas_job_error_at(&place, NULL, parser->err, "not text in UTF-8: %s%s", problem,
                            remedy ? "; save the file as UTF-8" : "");
}

/* What libyaml could not read. */
static nas_status_t syntax_error(const parser_t *parser)
{
    const yaml_parser_t *yaml = &parser->yaml;
    size_t tab = 0;
    if (yaml->error == YAML_MEMORY_ERROR) return nas_error_nomem(parser->err, "the job file");
    if (yaml->error == YAML_READER_ERROR) return encoding_error(parser);
    if (yaml->flow_level == 0 && find_tab(parser, &yaml->problem_mark, &tab)) {
        const nas_job_place_t place = place_of_byte(parser, tab);
        return nas_job_error_at(
            &place, NULL, parser->err,
            "a tab in the indentation, where YAML knows spaces only; put as many spaces as the lines beside it have");
    }
    if (strcmp(yaml->problem, "did not find expected comment or line break") == 0)
        return refuse(parser, &yaml->context_mark,
                      "a value that begins with | needs quotes, such as '|nor_conv_3x3~0|+...'");
    const nas_job_place_t place = place_at(parser, &yaml->problem_mark);
    return nas_job_error_at(&place, NULL, parser->err, "not YAML: %s%s%s", yaml->problem,
                            yaml->context ? " " : "", yaml->context ? yaml->context : "");
}

/* The caller ends *event with yaml_event_delete. */
static nas_status_t next_event(parser_t *parser, yaml_event_t *event)
{
    return yaml_parser_parse(&parser->yaml, event) ? NAS_OK : syntax_error(parser);
}

static nas_status_t refuse_decoration(const parser_t *parser, const yaml_event_t *event,
                                      const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        return refuse(parser, &event->start_mark,
                      "anchors (&name) have no place in a job file; write it out");
    if (tag)
        return refuse(parser, &event->start_mark,
                      "tags (!name) have no place in a job file; leave it out");
    return NAS_OK;
}

/* What a word processor puts in the place of a plain sign, and what it is called; NULL: nothing. */
static const char *typeset_sign(const char *text)
{
    static const struct {
        const char *sign, *name;
        bool anywhere; /* or at an end only */
    } signs[] = {{"\xe2\x80\x9c", "a typographic quote", false},
                 {"\xe2\x80\x9d", "a typographic quote", false},
                 {"\xe2\x80\x9e", "a typographic quote", false},
                 {"\xe2\x80\x98", "a typographic quote", false},
                 {"\xe2\x80\x99", "a typographic quote", false},
                 {"\xc2\xa0", "a no-break space", true},
                 {"\xe2\x80\xaf", "a no-break space", true}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const char *sign = signs[i].sign;
        const bool begins = strncmp(text, sign, strlen(sign)) == 0;
        if (begins || (signs[i].anywhere && strstr(text, sign))) return signs[i].name;
    }
    return NULL;
}

static nas_status_t refuse_sign(const parser_t *parser, const yaml_event_t *event, const char *sign)
{
    const nas_job_place_t place = place_at(parser, &event->start_mark);
    return nas_job_error_at(
        &place, NULL, parser->err,
        "%s stands in %.80s; type the plain sign, or put plain quotes around a text that has it",
        sign, (const char *)event->data.scalar.value);
}

static nas_status_t compose_scalar(const parser_t *parser, const yaml_event_t *event,
                                   nas_job_node_t *node)
{
    const char *text = (const char *)event->data.scalar.value;
    const size_t length = event->data.scalar.length;
    const nas_status_t status =
        refuse_decoration(parser, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (status) return status;
    if (!nas_job_is_printable(text, length))
        return refuse(parser, &event->start_mark,
                      "a value holds a line break or a control character");
    node->kind = NAS_JOB_SCALAR;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const char *sign = node->plain ? typeset_sign(text) : NULL;
    if (sign) return refuse_sign(parser, event, sign);
    node->text = nas_string_copy(text, parser->err);
    return node->text ? NAS_OK : NAS_ENOMEM;
}

/* Room for one more child; *child_p points to it, zeroed. */
static nas_status_t add_child(const parser_t *parser, const yaml_mark_t *mark, nas_job_node_t *node,
                              nas_job_node_t **child_p)
{
    if (node->n == MAX_ENTRIES)
        return refuse(parser, mark, "more than 1000 entries; that is no job");
    nas_job_node_t *at = realloc(node->at, (node->n + 1) * sizeof *at);
    if (!at) return nas_error_nomem(parser->err, "the job file");
    node->at = at;
    *child_p = &at[node->n++];
    **child_p = (nas_job_node_t){0};
    return NAS_OK;
}

static nas_status_t check_distinct(const parser_t *parser, const nas_job_node_t *map)
{
    const nas_job_node_t *last = &map->at[map->n - 1];
    for (const nas_job_node_t *entry = map->at; entry < last; entry++)
        if (strcmp(entry->key, last->key) == 0)
            return nas_job_error_at(
                &last->key_place, NULL, parser->err,
                "the key %.80s is there twice, first in line %zu; keep one of them", last->key,
                entry->key_place.line);
    return NAS_OK;
}

/* The key of an entry; the value follows. */
static nas_status_t take_key(const parser_t *parser, const yaml_event_t *event,
                             nas_job_node_t *entry)
{
    if (event->type != YAML_SCALAR_EVENT || !event->data.scalar.length)
        return refuse(parser, &event->start_mark, "a key must be a text, such as name");
    nas_job_node_t key = {0};
    const nas_status_t status = compose_scalar(parser, event, &key);
    if (status) return status;
    entry->key = key.text;
    entry->key_place = place_at(parser, &event->start_mark);
    return NAS_OK;
}

static nas_status_t compose(parser_t *parser, const yaml_event_t *event, int depth,
                            nas_job_node_t *node);

static nas_status_t compose_next(parser_t *parser, int depth, nas_job_node_t *node)
{
    yaml_event_t event;
    nas_status_t status = next_event(parser, &event);
    if (status) return status;
    status = compose(parser, &event, depth, node);
    yaml_event_delete(&event);
    return status;
}

/* The children of a list or map, up to its end. */
static nas_status_t compose_children(parser_t *parser, int depth, nas_job_node_t *node)
{
    for (;;) {
        yaml_event_t event;
        nas_job_node_t *child = NULL;
        nas_status_t status = next_event(parser, &event);
        if (status) return status;
        const bool end =
            event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        if (!end) status = add_child(parser, &event.start_mark, node, &child);
        if (child && node->kind == NAS_JOB_LIST) status = compose(parser, &event, depth, child);
        if (child && node->kind == NAS_JOB_MAP) status = take_key(parser, &event, child);
        yaml_event_delete(&event);
        if (status || end) return status;
        if (node->kind == NAS_JOB_LIST) continue;
        status = check_distinct(parser, node);
        if (!status) status = compose_next(parser, depth, child);
        if (status) return status;
    }
}

static nas_status_t compose(parser_t *parser, const yaml_event_t *event, int depth,
                            nas_job_node_t *node)
{
    nas_status_t status = NAS_OK;
    node->place = place_at(parser, &event->start_mark);
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return compose_scalar(parser, event, node);
    case YAML_ALIAS_EVENT:
        return refuse(parser, &event->start_mark,
                      "aliases (*name) have no place in a job file; write it out");
    case YAML_SEQUENCE_START_EVENT:
        node->kind = NAS_JOB_LIST;
        status = refuse_decoration(parser, event, event->data.sequence_start.anchor,
                                   event->data.sequence_start.tag);
        break;
    default:
        node->kind = NAS_JOB_MAP;
        status = refuse_decoration(parser, event, event->data.mapping_start.anchor,
                                   event->data.mapping_start.tag);
        break;
    }
    if (status) return status;
    if (depth == MAX_DEPTH)
        return refuse(parser, &event->start_mark, "nested too deep; a job has three levels");
    return compose_children(parser, depth + 1, node);
}

/* Consume the next event, which begins or ends the stream or a document. */
static nas_status_t take_boundary(parser_t *parser, yaml_event_type_t *type, yaml_mark_t *mark)
{
    yaml_event_t event;
    const nas_status_t status = next_event(parser, &event);
    if (status) return status;
    *type = event.type;
    *mark = event.start_mark;
    yaml_event_delete(&event);
    return NAS_OK;
}

static nas_status_t compose_empty(const parser_t *parser, nas_job_node_t *root)
{
    const yaml_mark_t mark = {0};
    if (parser->start->source == NAS_JOB_FILE || strspn(parser->text, " ") < parser->size)
        return refuse(parser, &mark, "empty; expected keys and values, such as name: study");
    root->place = *parser->start;
    root->text = nas_string_copy("", parser->err);
    return root->text ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t compose_stream(parser_t *parser, nas_job_node_t *root)
{
    yaml_event_type_t type;
    yaml_mark_t mark;
    nas_status_t status = take_boundary(parser, &type, &mark);
    if (!status) status = take_boundary(parser, &type, &mark);
    if (status) return status;
    if (type == YAML_STREAM_END_EVENT) return compose_empty(parser, root);
    status = compose_next(parser, 0, root);
    if (!status) status = take_boundary(parser, &type, &mark);
    if (!status) status = take_boundary(parser, &type, &mark);
    if (!status && type != YAML_STREAM_END_EVENT)
        status = refuse(parser, &mark, "a second document begins; a job file holds one");
    return status;
}

nas_status_t nas_job_parse(const char *text, size_t size, const nas_job_place_t *start,
                           nas_job_node_t *root, nas_error_t *err)
{
    size_t skip = 0;
    if (start->source == NAS_JOB_FILE) {
        const nas_status_t status = nas_text_begin(start->name, text, size, &skip, err);
        if (status) return status;
    }
    parser_t parser = {.start = start, .text = text + skip, .size = size - skip, .err = err};
    if (!yaml_parser_initialize(&parser.yaml)) return nas_error_nomem(err, "the YAML parser");
    yaml_parser_set_input_string(&parser.yaml, (const unsigned char *)parser.text, parser.size);
    yaml_parser_set_encoding(&parser.yaml, YAML_UTF8_ENCODING);
    nas_job_node_t tree = {0};
    const nas_status_t status = compose_stream(&parser, &tree);
    yaml_parser_delete(&parser.yaml);
    if (status)
        nas_job_node_fini(&tree);
    else
        *root = tree;
    return status;
}

void nas_job_node_fini(nas_job_node_t *node)
{
    for (size_t i = 0; i < node->n; i++) nas_job_node_fini(&node->at[i]);
    free(node->at);
    free(node->text);
    free(node->key);
    *node = (nas_job_node_t){0};
}
