#include "sound.h"

/* The effects payload that the later elements answer to: a line, a message, and three requests of element 1.
 */
th_slice effects_of_one(void)
{
    static th_effects effects;
    static bool made;
    th_slice payload;
    if (!made) {
        static const char *const to[] = {"other", "other", "ghost", "third"};
        th_turn_limit passed;
        th_hash hash;
        uint64_t id;
        th_effects_init(&effects);
        th_effects_begin(&effects, 1, 100, 1000);
        assert_ok(th_effects_log(&effects, 1, th_slice_text("line"), &passed, reterr));
        for (size_t i = 0; i < 4; i++)
            assert_ok(th_effects_message(&effects, fixture_hasher(), th_slice_text(to[i]),
                                         th_slice_text("hello"), i > 0, &id, &hash, &passed, reterr));
        made = true;
    }
    assert_ok(th_effects_finish(&effects, &payload, reterr));
    return payload;
}

th_cause message_from(const char *actor, uint64_t sequence, uint64_t index)
{
    return (th_cause){
        .kind = TH_CAUSE_MESSAGE, .actor = th_slice_text(actor), .sequence = sequence, .index = index};
}

th_cause answer_from(const char *actor, uint64_t sequence, uint32_t place)
{
    return (th_cause){.kind = TH_CAUSE_ANSWER,
                      .actor = th_slice_text(actor),
                      .sequence = sequence,
                      .request = th_request_id(1, place)};
}

th_cause undelivered_to(const char *actor, uint32_t place)
{
    return (th_cause){
        .kind = TH_CAUSE_UNDELIVERED, .actor = th_slice_text(actor), .request = th_request_id(1, place)};
}

/* A sound chain with one of everything. */
void sound_chain(made_chain *chain)
{
    static th_limits wider = {2000, 1 << 20, 1 << 20, 200, 1000};
    th_slice effects = effects_of_one();
    chain_begin(chain, "cart");
    chain_transition(chain, "go", "gone", "1", &effects, NULL)->fields.principal = th_slice_text("alice");
    chain_seal(chain, 1);
    th_cause cause = message_from("other", 4, 2);
    chain_transition(chain, "hi", "", "1", NULL, &cause);
    cause = answer_from("other", 5, 1);
    chain_transition(chain, "answered", "", "2", NULL, &cause);
    cause = undelivered_to("ghost", 2);
    chain_rejection(chain, "no such actor", th_rejection_by_actor(th_slice_text("oh")), &cause);
    cause = message_from("other", 4, 3);
    chain_transition(chain, "hi again", "", "2", NULL, &cause);
    chain_rejection(chain, "boom", th_rejection_trap(TH_TRAP_MEMORY), NULL);
    chain_upgrade(chain, &wider);
    chain_transition(chain, "last", "", "", NULL, NULL);
}

void spoil_cause(made_chain *chain, size_t at, th_cause cause, bool holds)
{
    chain->elements[at].fields.cause = cause;
    chain_seal(chain, at);
    if (holds)
        chain_must_hold(chain);
    else
        chain_must_fail(chain, TH_CHECK_CAUSE, at);
}
