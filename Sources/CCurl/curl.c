#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>

// Each pointer has the type of libcurl's own declaration; the macros that check the arguments of
// curl_easy_setopt are for calls by name.
#undef curl_easy_setopt

static struct {
  __typeof__(&curl_global_init) global_init;
  __typeof__(&curl_easy_init) easy_init;
  __typeof__(&curl_easy_reset) easy_reset;
  __typeof__(&curl_easy_perform) easy_perform;
  __typeof__(&curl_easy_cleanup) easy_cleanup;
  __typeof__(&curl_easy_strerror) easy_strerror;
  __typeof__(&curl_easy_setopt) easy_setopt;
  __typeof__(&curl_slist_append) slist_append;
  __typeof__(&curl_slist_free_all) slist_free_all;
} library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[512];

static void set_problem(const char *words) {
  size_t length = 0;
  for (; words[length] != 0 && length < sizeof problem - 1; length++) problem[length] = words[length];
  problem[length] = 0;
}

static void load(void) {
  // The name of the ABI, which libcurl has kept since 2006.
  void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    const char *words = dlerror();
    set_problem(words != NULL ? words : "libcurl.so.4 cannot be loaded");
    return;
  }
  const struct { const char *name; void **place; } symbols[] = {
    {"curl_global_init", (void **)&library.global_init},
    {"curl_easy_init", (void **)&library.easy_init},
    {"curl_easy_reset", (void **)&library.easy_reset},
    {"curl_easy_perform", (void **)&library.easy_perform},
    {"curl_easy_cleanup", (void **)&library.easy_cleanup},
    {"curl_easy_strerror", (void **)&library.easy_strerror},
    {"curl_easy_setopt", (void **)&library.easy_setopt},
    {"curl_slist_append", (void **)&library.slist_append},
    {"curl_slist_free_all", (void **)&library.slist_free_all},
  };
  for (size_t index = 0; index < sizeof symbols / sizeof symbols[0]; index++) {
    *symbols[index].place = dlsym(handle, symbols[index].name);
    if (*symbols[index].place == NULL) return set_problem(symbols[index].name);
  }
  CURLcode code = library.global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) set_problem(library.easy_strerror(code));
}

const char *pgkeep_curl_start(void) {
  pthread_once(&once, load);
  return problem[0] == 0 ? NULL : problem;
}

CURL *pgkeep_curl_easy_init(void) { return library.easy_init(); }
void pgkeep_curl_easy_reset(CURL *handle) { library.easy_reset(handle); }
CURLcode pgkeep_curl_easy_perform(CURL *handle) { return library.easy_perform(handle); }
void pgkeep_curl_easy_cleanup(CURL *handle) { library.easy_cleanup(handle); }
const char *pgkeep_curl_easy_strerror(CURLcode code) { return library.easy_strerror(code); }

struct curl_slist *pgkeep_curl_slist_append(struct curl_slist *list, const char *text) {
  return library.slist_append(list, text);
}
void pgkeep_curl_slist_free_all(struct curl_slist *list) { library.slist_free_all(list); }

CURLcode pgkeep_curl_set_long(CURL *handle, CURLoption option, long value) {
  return library.easy_setopt(handle, option, value);
}
CURLcode pgkeep_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
  return library.easy_setopt(handle, option, value);
}
CURLcode pgkeep_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return library.easy_setopt(handle, option, value);
}
CURLcode pgkeep_curl_set_string(CURL *handle, CURLoption option, const char *value) {
  return library.easy_setopt(handle, option, value);
}
CURLcode pgkeep_curl_set_writer(
    CURL *handle, CURLoption option, size_t (*value)(char *, size_t, size_t, void *)) {
  return library.easy_setopt(handle, option, value);
}
CURLcode pgkeep_curl_set_progress(
    CURL *handle, int (*value)(void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t)) {
  return library.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}
CURLcode pgkeep_curl_set_seeker(CURL *handle, int (*value)(void *, curl_off_t, int)) {
  return library.easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}
