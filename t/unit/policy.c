/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/policy.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/err.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

#define RULES "Denied by fast rules"
#define DOOR "Onboard required"
#define NOBODY "trust evaluation unavailable"

/* ---- opening ---- */

static struct conf conf;

static void set(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
}

/* "object:" is what goes with an object of host(). */
static struct policy *open_with(const char *trust, struct err *err)
{
	const char object[] = "object:";
	bool has_object = strncmp(trust, object, strlen(object)) == 0;
	set(&conf.trust_object, has_object ? "TrustAgent" : "");
	set(&conf.trust, has_object ? trust + strlen(object) : trust);
	*err = (struct err){.text = ""};
	struct policy *p = policy_open(&conf, err);
	if (!p)
		printf("# %s\n", err->text);
	return p;
}

static struct policy *open_good(const char *trust)
{
	struct err err;
	struct policy *p = open_with(trust, &err);
	if (!p)
		abort();
	return p;
}

static void set_doors(const char *code, const char *price)
{
	(void)unsetenv("CO_INVITE_CODE");
	(void)unsetenv("CO_PAYMENT");
	if (code)
		(void)setenv("CO_INVITE_CODE", code, 1);
	if (price)
		(void)setenv("CO_PAYMENT", price, 1);
}

/* ---- the table of spec 5.11 ---- */

enum who { UNSIGNED, BLOCKED, STRANGER, CONTACT, WHITE, ADMIN, N_WHO };

static const char *const who_names[N_WHO] = {"unsigned", "a blocked one",
    "a stranger", "a contact", "a whitelisted one", "an admin"};

static struct policy_facts facts_of(enum who who)
{
	static const enum trust_level levels[N_WHO] = {
	    [UNSIGNED] = LEVEL_STRANGER,
	    [BLOCKED] = LEVEL_BLOCKED,
	    [STRANGER] = LEVEL_STRANGER,
	    [CONTACT] = LEVEL_CONTACT,
	    [WHITE] = LEVEL_WHITELIST,
	    [ADMIN] = LEVEL_STRANGER,
	};
	return (struct policy_facts){
	    .entry = {.level = levels[who], .is_admin = who == ADMIN},
	    .is_anonymous = who == UNSIGNED,
	};
}

/* In words: the verdict, or for a denial its reason. */
static const char *judge(
    const struct policy *p, enum who who, const char *code, bool has_evaluator)
{
	struct policy_facts facts = facts_of(who);
	const char *reason = NULL;
	facts.invite_code = code;
	facts.has_evaluator = has_evaluator;
	switch (policy_judge(p, &facts, &reason)) {
	case POLICY_ALLOW:
		return "allow";
	case POLICY_ADMIT:
		return "admit";
	case POLICY_ASK:
		return "ask";
	case POLICY_ONBOARD:
		return reason && !strcmp(reason, DOOR) ? "onboard" : "?";
	case POLICY_DENY:
		return reason ? reason : "?";
	}
	return "?";
}

static void test_table(void)
{
	static const struct {
		const char *name, *trust, *code;
		bool has_evaluator;
		const char *want[N_WHO];
	} rows[] = {
	    {"open", "open", NULL, false,
		{"allow", RULES, "allow", "allow", "allow", "allow"}},
	    {"open with an evaluator", "open", NULL, true,
		{"allow", RULES, "allow", "allow", "allow", "allow"}},
	    {"careful without a door", "careful", NULL, false,
		{"allow", RULES, "allow", "allow", "allow", "allow"}},
	    {"careful with an evaluator", "careful", NULL, true,
		{"ask", RULES, "ask", "allow", "allow", "allow"}},
	    {"careful with a door", "careful", "c", false,
		{DOOR, RULES, "onboard", "allow", "allow", "allow"}},
	    {"careful with both", "careful", "c", true,
		{DOOR, RULES, "onboard", "allow", "allow", "allow"}},
	    {"strict", "strict", NULL, false,
		{RULES, RULES, RULES, RULES, "allow", "allow"}},
	    {"strict with a code in the environment", "strict", "c", true,
		{RULES, RULES, RULES, RULES, "allow", "allow"}},
	    {"a custom policy that allows", "{\"default\":\"allow\"}", NULL,
		false, {"allow", RULES, "allow", "allow", "allow", "allow"}},
	    {"one that allows the blocked too",
		"{\"deny\":[],\"default\":\"allow\"}", NULL, false,
		{"allow", "allow", "allow", "allow", "allow", "allow"}},
	    {"one that denies", "{\"default\":\"deny\"}", NULL, true,
		{RULES, RULES, RULES, RULES, RULES, RULES}},
	    {"an empty one", "{}", NULL, true,
		{RULES, RULES, RULES, RULES, RULES, RULES}},
	    {"one for contacts", "{\"allow\":[\"contact\"]}", NULL, true,
		{RULES, RULES, RULES, "allow", RULES, RULES}},
	    {"one for the whitelisted", "{\"allow\":[\"whitelisted\"]}", NULL,
		true, {RULES, RULES, RULES, RULES, "allow", RULES}},
	    {"one for admins", "{\"allow\":[\"admin\"]}", NULL, true,
		{RULES, RULES, RULES, RULES, RULES, "allow"}},
	    {"one that asks", "{\"default\":\"ask\"}", NULL, true,
		{RULES, RULES, "ask", "ask", "ask", "ask"}},
	    {"one that asks nobody", "{\"default\":\"ask\"}", NULL, false,
		{RULES, RULES, NOBODY, NOBODY, NOBODY, NOBODY}},
	    {"one that asks, with a door",
		"{\"default\":\"ask\",\"onboard\":{\"payment\":5}}", NULL, true,
		{DOOR, RULES, "onboard", "onboard", "onboard", "onboard"}},
	    {"one that denies, with a door",
		"{\"default\":\"deny\",\"onboard\":{\"payment\":5}}", NULL,
		true, {RULES, RULES, RULES, RULES, RULES, RULES}},
	    {"an object, and rules for who does not sign",
		"object:{\"default\":\"deny\"}", NULL, true,
		{RULES, RULES, "ask", "ask", "ask", "ask"}},
	    {"an object that lets in who does not sign",
		"object:{\"default\":\"allow\"}", NULL, true,
		{"allow", RULES, "ask", "ask", "ask", "ask"}},
	    {"an object that is asked about all, with a door",
		"object:{\"default\":\"ask\",\"onboard\":{\"payment\":5},"
		"\"allow\":[\"admin\"]}",
		NULL, true, {"ask", RULES, "ask", "ask", "ask", "allow"}},
	    {"prose", "Let in who is kind.", NULL, true,
		{RULES, RULES, "ask", "ask", "ask", "ask"}},
	    {"prose without an evaluator", "Let in who is kind.", NULL, false,
		{RULES, RULES, NOBODY, NOBODY, NOBODY, NOBODY}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		set_doors(rows[i].code, NULL);
		struct policy *p = open_good(rows[i].trust);
		for (enum who w = 0; w < N_WHO; w++)
			is_str(judge(p, w, NULL, rows[i].has_evaluator),
			    rows[i].want[w], "%s: %s", rows[i].name,
			    who_names[w]);
		policy_close(&p);
	}
	set_doors(NULL, NULL);
}

static void test_signing_helps(void)
{
	static const char *const trusts[] = {"open", "careful", "strict",
	    "{\"default\":\"allow\"}", "{\"default\":\"ask\"}", "{}",
	    "prose x"};
	for (size_t i = 0; i < sizeof trusts / sizeof *trusts; i++)
		for (int mix = 0; mix < 4; mix++) {
			set_doors(mix & 1 ? "c" : NULL, NULL);
			struct policy *p = open_good(trusts[i]);
			bool has = mix & 2;
			bool is_in =
			    !strcmp(judge(p, UNSIGNED, NULL, has), "allow");
			bool is_in_signed =
			    !strcmp(judge(p, STRANGER, NULL, has), "allow");
			ok(!is_in || is_in_signed,
			    "%s, case %d: who comes in unsigned comes in "
			    "signed",
			    trusts[i], mix);
			policy_close(&p);
		}
	set_doors(NULL, NULL);
}

/* ---- doors ---- */

static void test_codes(void)
{
	static const struct {
		const char *name, *trust, *env, *said;
		bool fits;
	} cases[] = {
	    {"the code of the environment fits", "careful", "BETA", "BETA",
		true},
	    {"the code of the environment is trimmed", "careful", " BETA\n",
		"BETA", true},
	    {"another code does not fit", "careful", "BETA", "BETB", false},
	    {"the beginning of a code does not fit", "careful", "BETA", "BET",
		false},
	    {"more than a code does not fit", "careful", "BETA", "BETA2",
		false},
	    {"a code in other case does not fit", "careful", "BETA", "beta",
		false},
	    {"the name of the variable is no code", "careful", "BETA",
		"$CO_INVITE_CODE", false},
	    {"an unset variable is no code", "careful", NULL, "", false},
	    {"the name of an unset variable is no code", "careful", NULL,
		"$CO_INVITE_CODE", false},
	    {"an empty variable is no code", "careful", " \n", "", false},
	    {"a code in the policy fits",
		"{\"onboard\":{\"invite_code\":\"abc\"}}", NULL, "abc", true},
	    {"a code of the environment among several fits",
		"{\"onboard\":{\"invite_code\":[\"a\",\"$CO_INVITE_CODE\","
		"\"c\"]}}",
		"b", "b", true},
	    {"the last of several codes fits",
		"{\"onboard\":{\"invite_code\":[\"a\",\"b\",\"c\"]}}", NULL,
		"c", true},
	    {"a code that is none of several does not fit",
		"{\"onboard\":{\"invite_code\":[\"a\",\"b\",\"c\"]}}", NULL,
		"d", false},
	    {"a code of null fits nothing",
		"{\"onboard\":{\"invite_code\":null}}", NULL, "", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		set_doors(cases[i].env, NULL);
		struct policy *p = open_good(cases[i].trust);
		ok(policy_code_fits(p, cases[i].said) == cases[i].fits, "%s",
		    cases[i].name);
		ok(!strcmp(judge(p, STRANGER, cases[i].said, false), "admit") ==
			cases[i].fits,
		    "%s: a stranger is admitted only if it fits",
		    cases[i].name);
		ok(!strcmp(judge(p, BLOCKED, cases[i].said, false), RULES),
		    "%s: the blocked are refused", cases[i].name);
		policy_close(&p);
	}
	set_doors(NULL, NULL);
}

static void test_prices(void)
{
	static const struct {
		const char *price; /* JSON */
		const char *env;
		double is;
	} cases[] = {
	    {"10", NULL, 10},
	    {"2.5", NULL, 2.5},
	    {"0", NULL, 0},
	    {"-1", NULL, 0},
	    {"null", NULL, 0},
	    {"\"10\"", NULL, 10},
	    {"\"$CO_PAYMENT\"", "10", 10},
	    {"\"$CO_PAYMENT\"", " 2.50 ", 2.5},
	    {"\"$CO_PAYMENT\"", "+3", 3},
	    {"\"$CO_PAYMENT\"", ".5", 0.5},
	    {"\"$CO_PAYMENT\"", "5.", 5},
	    {"\"$CO_PAYMENT\"", NULL, 0},
	    {"\"$CO_PAYMENT\"", "", 0},
	    {"\"$CO_PAYMENT\"", "0", 0},
	    {"\"$CO_PAYMENT\"", "-5", 0},
	    {"\"$CO_PAYMENT\"", "++5", 0},
	    {"\"$CO_PAYMENT\"", "1.2.3", 0},
	    {"\"$CO_PAYMENT\"", "1e9", 0},
	    {"\"$CO_PAYMENT\"", "inf", 0},
	    {"\"$CO_PAYMENT\"", "nan", 0},
	    {"\"$CO_PAYMENT\"", "0x10", 0},
	    {"\"$CO_PAYMENT\"", "ten", 0},
	    {"\"$CO_PAYMENT\"", ".", 0},
	};
	char trust[128];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		set_doors(NULL, cases[i].env);
		(void)snprintf(trust, sizeof trust,
		    "{\"default\":\"ask\",\"onboard\":{\"payment\":%s}}",
		    cases[i].price);
		struct policy *p = open_good(trust);
		ok(policy_price(p) >= cases[i].is &&
			policy_price(p) <= cases[i].is,
		    "%s with %s costs %g", cases[i].price,
		    cases[i].env ? cases[i].env : "nothing", cases[i].is);
		ok(!strcmp(judge(p, STRANGER, NULL, false), "onboard") ==
			(cases[i].is > 0),
		    "a price of %s is %s", cases[i].price,
		    cases[i].is > 0 ? "a way in" : "no way in");
		policy_close(&p);
	}
	set_doors(NULL, NULL);
}

static void test_what_there_is(void)
{
	set_doors("c", "7");
	struct policy *careful = open_good("careful");
	struct policy *strict = open_good("strict");
	struct policy *open = open_good("open");
	ok(policy_has_codes(careful) && policy_price(careful) > 6.9,
	    "careful has the doors of the environment");
	ok(!policy_has_codes(strict) && policy_price(strict) <= 0 &&
		!policy_has_codes(open) && policy_price(open) <= 0,
	    "open and strict have none");
	policy_close(&careful);
	policy_close(&strict);
	policy_close(&open);
	set_doors(NULL, NULL);
}

/* ---- texts ---- */

static void test_texts(void)
{
	static const struct {
		const char *name, *text, *body;
		const char *contact; /* what a contact is told */
	} cases[] = {
	    {"rules and a text", "---\nallow: [contact]\n---\nBe kind.\n",
		"Be kind.\n", "allow"},
	    {"rules alone", "---\nallow: [contact]\n---\n", "", "allow"},
	    {"rules that end with the text", "---\nallow: [contact]\n---", "",
		"allow"},
	    {"lines as on Windows",
		"---\r\nallow: [contact]\r\n---\r\nBe kind.", "Be kind.",
		"allow"},
	    {"blanks behind the fences",
		"---  \nallow: [contact]\n---\t\nBe kind.", "Be kind.",
		"allow"},
	    {"blank lines before", "\n\n---\nallow: [contact]\n---\nx y", "x y",
		"allow"},
	    {"a fence inside a line is none",
		"---\n# a --- b\nallow: [contact] # ---\n---\nx y", "x y",
		"allow"},
	    {"nor is one that is indented",
		"---\nallow:\n  - contact\n  # x\n---\nx\n---\ny", "x\n---\ny",
		"allow"},
	    {"rules that are empty", "---\n---\nBe kind.", "Be kind.", RULES},
	    {"rules that are not closed deny", "---\nallow: [contact]\nx: y\n",
		"---\nallow: [contact]\nx: y\n", RULES},
	    {"prose in lines", "Be kind\nto all.", "Be kind\nto all.", "ask"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy *p = open_good(cases[i].text);
		is_str(policy_text(p), cases[i].body, "%s: the text",
		    cases[i].name);
		is_str(judge(p, CONTACT, NULL, true), cases[i].contact,
		    "%s: the rules", cases[i].name);
		policy_close(&p);
	}
}

static void test_warned(void)
{
	static const char *const texts[] = {
	    "{\"allow\":[\"whitelist\",5,null,[],\"\"]}",
	    "{\"deny\":[\"stranger\"],\"allow\":[\"nobody\"]}",
	    "{\"default\":\"allow!\"}",
	    "{\"default\":true}",
	    "{\"defualt\":\"allow\"}",
	    "{\"onboard\":{\"key\":\"x\"}}",
	    "{\"allow\":null,\"deny\":null,\"onboard\":null,\"default\":null}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct policy *p = open_good(texts[i]);
		is_str(judge(p, STRANGER, NULL, true), RULES,
		    "%s lets nobody in", texts[i]);
		policy_close(&p);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
	    {"{\"allow\":\"contact\"}", "trust: allow must be a list"},
	    {"{\"deny\":true}", "trust: deny must be a list"},
	    {"{\"onboard\":[]}", "trust: onboard must be a mapping"},
	    {"{\"onboard\":{\"invite_code\":7}}", "invite_code must be text"},
	    {"{\"onboard\":{\"invite_code\":[7]}}", "invite_code must be text"},
	    {"{\"onboard\":{\"invite_code\":{}}}", "invite_code must be text"},
	    {"{\"onboard\":{\"payment\":true}}", "payment must be a number"},
	    {"{\"onboard\":{\"payment\":\"ten\"}}", "payment must be a number"},
	    {"{\"onboard\":{\"payment\":1e999}}", "payment must be a number"},
	    {"{\"onboard\":{\"payment\":[1]}}", "payment must be a number"},
	    {"{\"include\":\"other.md\"}", "include"},
	    {"{\"allow\":[}", "trust: "},
	    {"---\nallow: [contact\n---\nx", "trust line "},
	    {"---\n\n# x\ndeny: 5\n---\nx", "trust line 4: deny must be"},
	    {"---\ninclude: a.md\n---\n", "trust line 2: include"},
	    {"---\n- allow\n---\nx", "trust: must be a mapping"},
	    {"---\nallow: [contact]\nallow: [admin]\n---\n", "line 3"},
	    {"---\na: &x [1]\nb: *x\n---\n", "line 3"},
	    {"missing.md", "missing.md: No such file"},
	    {"/nowhere/policy.md", "/nowhere/policy.md: No such file"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err;
		struct policy *p = open_with(cases[i].text, &err);
		ok(!p && err.code == ERR_CONFIG &&
			strstr(err.text, cases[i].says),
		    "refused with \"%s\"", cases[i].says);
		policy_close(&p);
	}
}

/* ---- files ---- */

static void test_files(void)
{
	static const struct {
		const char *name, *text;
		const char *says; /* NULL: it is good */
	} cases[] = {
	    {"good.md", "---\nallow: [contact]\n---\nBe kind.", NULL},
	    {"with space.md", "---\nallow: [contact]\n---\nBe kind.", NULL},
	    {"bad.md", "---\nallow: [contact]\n\ndeny: 5\n---\n",
		"bad.md line 4: deny must be"},
	    {"yaml.md", "---\nallow: [contact\n---\n", "yaml.md line "},
	    {"include.md", "---\ninclude: include.md\n---\n",
		"include.md line 2: include"},
	    {"empty.md", "", "empty.md: the policy is empty"},
	    {"latin.md", "caf\xe9", "latin.md: a policy is UTF-8"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err;
		char *path = scratch_path("%s", cases[i].name);
		scratch_write(path, cases[i].text, strlen(cases[i].text));
		for (int round = 0; round < 2; round++) {
			struct policy *p =
			    open_with(round ? path : cases[i].name, &err);
			ok(cases[i].says ? !p && err.code == ERR_CONFIG &&
					       strstr(err.text, cases[i].says)
					 : p != NULL,
			    "%s by its %s", cases[i].name,
			    round ? "path" : "name in the project");
			if (p)
				is_str(judge(p, CONTACT, NULL, false), "allow",
				    "%s: the rules count", cases[i].name);
			policy_close(&p);
		}
		free(path);
	}
}

static void test_odd_files(void)
{
	struct err err;
	char *path = scratch_path("large.md");
	struct buf text = {0};
	buf_str(&text, "---\nallow: [contact]\n---\n");
	while (text.len < POLICY_BYTES)
		buf_str(&text, "text that goes on and on\n");
	scratch_write(path, text.data, text.len);
	struct policy *p = open_with(path, &err);
	ok(!p && strstr(err.text, "large.md") && strstr(err.text, "1 MiB"),
	    "a policy over 1 MiB is refused by name");
	scratch_write(path, text.data, POLICY_BYTES);
	p = open_with(path, &err);
	ok(p != NULL, "a policy of 1 MiB is accepted");
	policy_close(&p);
	scratch_write(path, "a\0b", 3);
	p = open_with(path, &err);
	ok(!p && strstr(err.text, "large.md"), "bytes are no policy");
	p = open_with(scratch_dir(), &err);
	ok(!p && strstr(err.text, "regular file"), "a folder is no policy");
	buf_fini(&text);
	free(path);
}

static void test_many_codes(void)
{
	struct buf text = {0};
	struct err err;
	for (int n = POLICY_MAX_CODES; n <= POLICY_MAX_CODES + 1; n++) {
		buf_reset(&text);
		buf_str(&text, "{\"onboard\":{\"invite_code\":[");
		for (int i = 0; i < n; i++)
			buf_printf(&text, "%s\"code-%d\"", i ? "," : "", i);
		buf_str(&text, "]}}");
		struct policy *p = open_with(buf_cstr(&text), &err);
		ok((p != NULL) == (n == POLICY_MAX_CODES),
		    "%d invite codes are %s", n,
		    n == POLICY_MAX_CODES ? "good" : "too many");
		ok(!p || policy_code_fits(p, "code-255"),
		    "the last of %d invite codes fits", n);
		policy_close(&p);
	}
	buf_fini(&text);
}

int main(void)
{
	log_threshold(LOG_ERROR);
	conf_init(&conf);
	set(&conf.project_dir, scratch_dir());
	set_doors(NULL, NULL);
	test_table();
	test_signing_helps();
	test_codes();
	test_prices();
	test_what_there_is();
	test_texts();
	test_warned();
	test_refused();
	test_files();
	test_odd_files();
	test_many_codes();
	conf_fini(&conf);
	return done();
}
