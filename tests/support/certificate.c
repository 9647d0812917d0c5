#include "tests/support/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIFETIME_S = 3600 };

static void must(int is_true)
{
    if (!is_true) {
        abort();
    }
}

static X509 *sign(const char *name, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    must(X509_set_version(certificate, 2));
    must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1));
    must(X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(certificate), LIFETIME_S) != NULL);
    must(X509_set_pubkey(certificate, key));
    must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                    -1, 0));
    must(X509_set_issuer_name(certificate, subject));
    must(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

void certificate_write(const char *name, const char *certificate_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = sign(name, key);
    FILE *file = fopen(certificate_path, "we");

    must(file && PEM_write_X509(file, certificate));
    must(fclose(file) == 0);
    file = fopen(key_path, "we");
    must(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    must(fclose(file) == 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
