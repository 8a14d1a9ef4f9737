#pragma once
#include <curl/curl.h>

// libcurl, loaded when it is first needed: it brings a dozen libraries along, which would make up a
// tenth of the start-up of a program that then only talks to a database.
//
// The functions below are libcurl's own of the same name, with a plain function for each kind of
// option value, since Swift cannot call C's variadic functions.

// Loads and starts libcurl. NULL when it is ready, otherwise why not. Everything else here may be
// called only after it returned NULL.
const char *pgkeep_curl_start(void);

CURL *pgkeep_curl_easy_init(void);
void pgkeep_curl_easy_reset(CURL *handle);
CURLcode pgkeep_curl_easy_perform(CURL *handle);
void pgkeep_curl_easy_cleanup(CURL *handle);
const char *pgkeep_curl_easy_strerror(CURLcode code);
struct curl_slist *pgkeep_curl_slist_append(struct curl_slist *list, const char *text);
void pgkeep_curl_slist_free_all(struct curl_slist *list);

CURLcode pgkeep_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode pgkeep_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode pgkeep_curl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode pgkeep_curl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode pgkeep_curl_set_writer(
    CURL *handle, CURLoption option, size_t (*value)(char *, size_t, size_t, void *));
CURLcode pgkeep_curl_set_progress(
    CURL *handle, int (*value)(void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t));
CURLcode pgkeep_curl_set_seeker(CURL *handle, int (*value)(void *, curl_off_t, int));
