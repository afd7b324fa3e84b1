/* TLS between a connection's bytes and the parser, by OpenSSL over memory. */
#include <openssl/err.h>

#include "server/internal.h"

static theater_status fail_tls(theater_error *reterr, const char *what, const char *path)
{
    char reason[200];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ERR_clear_error();
    return th_fail(reterr, THEATER_INVALID_ARGUMENT, "%s %s: %s", what, path, reason);
}

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *context)
{
    (void)ssl, (void)context;
    static const unsigned char known[] = "\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_size, known, sizeof known - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

theater_status th_tls_context(const th_server_options *options, SSL_CTX **ret, theater_error *reterr)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        return fail_tls(reterr, "TLS", "cannot start");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    theater_status status = THEATER_OK;
    if (SSL_CTX_use_certificate_chain_file(context, options->tls_certificate) != 1)
        status = fail_tls(reterr, "the certificate", options->tls_certificate);
    else if (SSL_CTX_use_PrivateKey_file(context, options->tls_key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(context) != 1)
        status = fail_tls(reterr, "the key", options->tls_key);
    if (status)
        SSL_CTX_free(context);
    else
        *ret = context;
    return status;
}

bool th_tls_begin(th_connection *c)
{
    c->tls = SSL_new(c->server->tls);
    c->tls_in = BIO_new(BIO_s_mem());
    c->tls_out = BIO_new(BIO_s_mem());
    if (!c->tls || !c->tls_in || !c->tls_out) {
        BIO_free(c->tls_in);
        BIO_free(c->tls_out);
        SSL_free(c->tls);
        c->tls = NULL;
        return false;
    }
    SSL_set_bio(c->tls, c->tls_in, c->tls_out);
    SSL_set_accept_state(c->tls);
    return true;
}

void th_tls_done(th_connection *c)
{
    SSL_free(c->tls);
    c->tls = NULL;
}

static bool take_out(th_connection *c, th_buf *out)
{
    size_t size = BIO_ctrl_pending(c->tls_out);
    uint8_t *room;
    if (size == 0)
        return true;
    if (th_buf_extend(out, size, &room, NULL))
        return false;
    return BIO_read(c->tls_out, room, (int)size) == (int)size;
}

bool th_tls_seal(th_connection *c, th_slice plain, th_buf *out)
{
    while (plain.size > 0) {
        int piece = plain.size > (1 << 20) ? 1 << 20 : (int)plain.size;
        int written = SSL_write(c->tls, plain.data, piece);
        if (written <= 0) {
            ERR_clear_error();
            return false;
        }
        plain = th_slice_of(plain.data + written, plain.size - (size_t)written);
    }
    return take_out(c, out);
}

/* What OpenSSL itself has to say: the handshake, key updates, alerts. */
static void send_own(th_connection *c)
{
    if (BIO_ctrl_pending(c->tls_out) == 0)
        return;
    th_buf out;
    th_buf_init(&out, TH_REPLY_MAX);
    SSL *tls = c->tls;
    bool good = take_out(c, &out);
    c->tls = NULL; /* these bytes are sealed already */
    if (good)
        th_connection_send(c, &out);
    c->tls = tls;
    th_buf_done(&out);
    if (!good)
        th_connection_close(c);
}

void th_tls_end(th_connection *c)
{
    if (!c->tls)
        return;
    SSL_shutdown(c->tls); /* fails before the end of the handshake, and then there is nothing to tell */
    ERR_clear_error();
    send_own(c);
}

void th_tls_input(th_connection *c, const uint8_t *data, size_t size)
{
    if (BIO_write(c->tls_in, data, (int)size) != (int)size) {
        th_connection_close(c);
        return;
    }
    uint8_t plain[16384];
    while (!c->closing && !c->lingering) {
        int got = SSL_read(c->tls, plain, sizeof plain);
        if (got > 0) {
            th_connection_input(c, plain, (size_t)got);
            continue;
        }
        int error = SSL_get_error(c->tls, got);
        ERR_clear_error();
        send_own(c);
        if (error == SSL_ERROR_ZERO_RETURN && !c->closing)
            th_connection_ended(c); /* what it asked for before is still answered */
        else if (error != SSL_ERROR_WANT_READ && !c->closing)
            th_connection_close(c);
        break;
    }
    if (!c->closing)
        send_own(c);
}
