/* Every kind of parameter goes to the server and comes back as it was. */

#include "adapters/postgres/postgres_connection.h"
#include "adapters/postgres/postgres_params.h"
#include "adapters/postgres/postgres_result.h"
#include "tests/adapters/postgres_server.h"

#include <stdlib.h>
#include <string.h>

static struct postgres_connection *connection;
static struct postgres_params params;
static PGresult *result;
static struct tc_error err;

static void setup(void)
{
    const struct postgres_connection_config config = {
        .url = postgres_server_url(),
        .statement_ms = 5000,
        .connect_ms = 5000,
        .prepares = true,
    };

    ck_assert_int_eq(postgres_connection_new(&config, &connection, &err), TC_OK);
    postgres_params_init(&params, 0);
}

static void teardown(void)
{
    PQclear(result);
    postgres_params_release(&params);
    postgres_connection_free(connection);
}

/* Send what is in `params`, keep what comes back. */
static void ask(const char *sql)
{
    const struct postgres_statement statement = { .name = "ask", .sql = sql };

    ck_assert_msg(postgres_run(connection, &statement, &params, &result, &err) == TC_OK, "%s",
                  err.message);
    ck_assert_int_eq(PQntuples(result), 1);
}

static struct tc_bytes bytes_of_size(size_t size)
{
    unsigned char *data = malloc(size);

    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    return (struct tc_bytes){ data, size };
}

static void assert_bytes(int column, struct tc_bytes expected)
{
    ck_assert(!postgres_is_null(result, 0, column));
    ck_assert(tc_bytes_equals(postgres_get_bytes(result, 0, column), expected));
}

/* --- scalars --- */

START_TEST(numbers_come_back_at_their_limits)
{
    postgres_add_int2(&params, INT16_MIN);
    postgres_add_int4(&params, INT32_MAX);
    postgres_add_int8(&params, INT64_MIN);
    postgres_add_int8(&params, INT64_MAX);
    postgres_add_int4(&params, -1);
    ask("SELECT $1, $2, $3, $4, $5");
    ck_assert_int_eq(postgres_get_int(result, 0, 0), INT16_MIN);
    ck_assert_int_eq(postgres_get_int(result, 0, 1), INT32_MAX);
    ck_assert_int_eq(postgres_get_int(result, 0, 2), INT64_MIN);
    ck_assert_int_eq(postgres_get_int(result, 0, 3), INT64_MAX);
    ck_assert_int_eq(postgres_get_int(result, 0, 4), -1);
}
END_TEST

START_TEST(the_server_sees_the_types_that_were_meant)
{
    postgres_add_bool(&params, true);
    postgres_add_int2(&params, 1);
    postgres_add_int4(&params, 1);
    postgres_add_null(&params);
    postgres_add_text(&params, "");
    postgres_add_bytes(&params, tc_bytes_of(""));
    ask("SELECT concat_ws(' ', pg_typeof($1), pg_typeof($2), pg_typeof($3), pg_typeof($4),"
        " pg_typeof($5), pg_typeof($6))");
    assert_bytes(0, tc_bytes_of("boolean smallint integer bigint text bytea"));
}
END_TEST

START_TEST(truth_comes_back)
{
    postgres_add_bool(&params, true);
    postgres_add_bool(&params, false);
    ask("SELECT $1, $2, NOT $2");
    ck_assert(postgres_get_bool(result, 0, 0));
    ck_assert(!postgres_get_bool(result, 0, 1));
    ck_assert(postgres_get_bool(result, 0, 2));
}
END_TEST

START_TEST(an_id_comes_back)
{
    const struct tc_id id = tc_id_make(STORE_START_MS, 0xABC, 12345);
    char text[TC_ID_TEXT_SIZE];

    tc_id_format(&id, text);
    postgres_add_id(&params, &id);
    postgres_add_text(&params, text);
    ask("SELECT $1, $1::text = $2");

    struct tc_id back = postgres_get_id(result, 0, 0);

    ck_assert_int_eq(tc_id_compare(&back, &id), 0);
    ck_assert(postgres_get_bool(result, 0, 1));
}
END_TEST

START_TEST(text_comes_back_and_is_cut_to_its_buffer)
{
    char whole[16];
    char cut[4];

    postgres_add_text(&params, "gr\xC3\xBC\xC3\x9F");
    ask("SELECT $1");
    postgres_get_text(result, 0, 0, whole, sizeof(whole));
    postgres_get_text(result, 0, 0, cut, sizeof(cut));
    ck_assert_str_eq(whole, "gr\xC3\xBC\xC3\x9F");
    ck_assert_str_eq(cut, "gr\xC3");
}
END_TEST

START_TEST(empty_is_not_null)
{
    postgres_add_text(&params, "");
    postgres_add_bytes(&params, (struct tc_bytes){ "", 0 });
    postgres_add_text(&params, NULL);
    postgres_add_bytes(&params, (struct tc_bytes){ NULL, 0 });
    postgres_add_null(&params);
    ask("SELECT $1, $2, $3, $4, $5");
    for (int column = 0; column < 5; column++)
        ck_assert_int_eq(postgres_is_null(result, 0, column), column >= 2);
    ck_assert_ptr_null(postgres_get_bytes(result, 0, 3).data);
    ck_assert_int_eq(postgres_get_int(result, 0, 4), 0);
}
END_TEST

START_TEST(one_empty_value_alone_is_not_null)
{
    postgres_add_text(&params, "");
    ask("SELECT $1 IS NULL");
    ck_assert(!postgres_get_bool(result, 0, 0));
}
END_TEST

START_TEST(a_mebibyte_of_bytes_comes_back)
{
    struct tc_bytes bytes = bytes_of_size(1024 * 1024);

    postgres_add_int4(&params, 1); /* so that the buffer grows with something in it */
    postgres_add_bytes(&params, bytes);
    postgres_add_bytes(&params, tc_bytes_of("end"));
    ask("SELECT $1, $2, $3");
    assert_bytes(1, bytes);
    assert_bytes(2, tc_bytes_of("end"));
    free((void *)(uintptr_t)bytes.data);
}
END_TEST

/* --- arrays --- */

static const struct {
    enum postgres_element element;
    int64_t first;
    const char *sql; /* whether $1 is the array of `first`, NULL and 0 */
} int_arrays[] = {
    { POSTGRES_BOOL, 1, "SELECT $1 IS NOT DISTINCT FROM ARRAY[true, NULL, false]" },
    { POSTGRES_INT2, INT16_MIN, "SELECT $1 IS NOT DISTINCT FROM '{-32768,NULL,0}'::int2[]" },
    { POSTGRES_INT4, -7, "SELECT $1 IS NOT DISTINCT FROM '{-7,NULL,0}'::int4[]" },
    { POSTGRES_INT8, INT64_MAX,
      "SELECT $1 IS NOT DISTINCT FROM '{9223372036854775807,NULL,0}'::int8[]" },
};

START_TEST(an_array_of_numbers_arrives_with_its_nulls)
{
    postgres_array_begin(&params, int_arrays[_i].element);
    postgres_push_int(&params, int_arrays[_i].element, int_arrays[_i].first);
    postgres_push_null(&params);
    postgres_push_int(&params, int_arrays[_i].element, 0);
    postgres_array_end(&params);
    ask(int_arrays[_i].sql);
    ck_assert(postgres_get_bool(result, 0, 0));
}
END_TEST

START_TEST(an_array_of_text_arrives)
{
    postgres_array_begin(&params, POSTGRES_TEXT);
    postgres_push_text(&params, "a,\"b\"");
    postgres_push_text(&params, NULL);
    postgres_push_text(&params, "");
    postgres_array_end(&params);
    ask("SELECT $1 IS NOT DISTINCT FROM ARRAY['a,\"b\"', NULL, '']");
    ck_assert(postgres_get_bool(result, 0, 0));
}
END_TEST

START_TEST(an_array_of_bytes_arrives)
{
    struct tc_bytes bytes = bytes_of_size(1024 * 1024);

    postgres_array_begin(&params, POSTGRES_BYTEA);
    postgres_push_bytes(&params, bytes);
    postgres_push_bytes(&params, (struct tc_bytes){ NULL, 0 });
    postgres_push_bytes(&params, (struct tc_bytes){ "", 0 });
    postgres_array_end(&params);
    ask("SELECT $1[1], $1[2], $1[3], array_length($1, 1)");
    assert_bytes(0, bytes);
    ck_assert(postgres_is_null(result, 0, 1));
    assert_bytes(2, tc_bytes_of(""));
    ck_assert_int_eq(postgres_get_int(result, 0, 3), 3);
    free((void *)(uintptr_t)bytes.data);
}
END_TEST

START_TEST(an_array_of_ids_comes_back)
{
    enum { COUNT = 300 };
    struct tc_id ids[COUNT];

    for (int i = 0; i < COUNT; i++)
        ids[i] = tc_id_make(STORE_START_MS + i, 1, (uint64_t)i);
    postgres_add_ids(&params, ids, COUNT);
    ask("SELECT $1, NULL::uuid[]");
    ck_assert_uint_eq(postgres_get_ids_count(result, 0, 0), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        struct tc_id id = postgres_get_ids_at(result, 0, 0, i);

        ck_assert_int_eq(tc_id_compare(&id, &ids[i]), 0);
    }
    ck_assert_uint_eq(postgres_get_ids_count(result, 0, 1), 0);
}
END_TEST

static const enum postgres_element all_elements[] = {
    POSTGRES_BOOL, POSTGRES_INT2, POSTGRES_INT4,  POSTGRES_INT8,
    POSTGRES_UUID, POSTGRES_TEXT, POSTGRES_BYTEA,
};

START_TEST(an_empty_array_of_any_kind_is_not_null)
{
    postgres_array_begin(&params, all_elements[_i]);
    postgres_array_end(&params);
    postgres_add_int4(&params, 5);
    ask("SELECT $1, cardinality($1), $2");
    ck_assert(!postgres_is_null(result, 0, 0));
    ck_assert_int_eq(postgres_get_int(result, 0, 1), 0);
    ck_assert_int_eq(postgres_get_int(result, 0, 2), 5);
    ck_assert_uint_eq(postgres_get_ids_count(result, 0, 0), 0);
}
END_TEST

/* --- the buffer --- */

START_TEST(a_cleared_buffer_serves_the_next_statement)
{
    postgres_add_text(&params, "first");
    postgres_add_int8(&params, 1);
    postgres_params_clear(&params);
    postgres_add_text(&params, "second");
    ask("SELECT $1");
    assert_bytes(0, tc_bytes_of("second"));
}
END_TEST

START_TEST(more_than_the_protocol_can_say_is_no_memory)
{
    postgres_add_bytes(&params, (struct tc_bytes){ "", (size_t)INT32_MAX + 1 });
    postgres_add_int4(&params, 1);
    ck_assert_int_eq(postgres_params_finish(&params, &err), TC_NO_MEMORY);
    postgres_params_clear(&params);
    ck_assert_int_eq(postgres_params_finish(&params, &err), TC_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("postgres_params");
    TCase *tcase = tcase_create("params");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, numbers_come_back_at_their_limits);
    tcase_add_test(tcase, the_server_sees_the_types_that_were_meant);
    tcase_add_test(tcase, truth_comes_back);
    tcase_add_test(tcase, an_id_comes_back);
    tcase_add_test(tcase, text_comes_back_and_is_cut_to_its_buffer);
    tcase_add_test(tcase, empty_is_not_null);
    tcase_add_test(tcase, one_empty_value_alone_is_not_null);
    tcase_add_test(tcase, a_mebibyte_of_bytes_comes_back);
    tcase_add_loop_test(tcase, an_array_of_numbers_arrives_with_its_nulls, 0,
                        sizeof(int_arrays) / sizeof(int_arrays[0]));
    tcase_add_test(tcase, an_array_of_text_arrives);
    tcase_add_test(tcase, an_array_of_bytes_arrives);
    tcase_add_test(tcase, an_array_of_ids_comes_back);
    tcase_add_loop_test(tcase, an_empty_array_of_any_kind_is_not_null, 0,
                        sizeof(all_elements) / sizeof(all_elements[0]));
    tcase_add_test(tcase, a_cleared_buffer_serves_the_next_statement);
    tcase_add_test(tcase, more_than_the_protocol_can_say_is_no_memory);
    suite_add_tcase(suite, tcase);
    return postgres_server_run_bare(suite);
}
