package io.catchment.objectstore.open;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.objectstore.s3.S3Settings;
import io.catchment.objectstore.s3.S3Settings.Checksums;
import io.catchment.objectstore.s3.S3Settings.Sse;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StoreUriTest {
    @Test
    void aDirectoryIsAnAbsolutePath() {
        assertThat(StoreUri.parse("file:///var/lib/objects", Map.of()))
                .isEqualTo(new StoreUri.Directory(Path.of("/var/lib/objects")));
        assertThat(StoreUri.parse("file:///with%20space", Map.of()))
                .isEqualTo(new StoreUri.Directory(Path.of("/with space")));
    }

    @Test
    void aBucketOfAwsNeedsNothingElse() {
        S3Settings settings = bucket("s3://my-bucket", Map.of());
        assertThat(settings.bucket()).isEqualTo("my-bucket");
        assertThat(settings.prefix()).isEmpty();
        assertThat(settings.endpoint()).isNull();
        assertThat(settings.region()).isNull();
        assertThat(settings.pathStyle()).isFalse();
        assertThat(settings.accessKeyId()).isNull();
        assertThat(settings.sse()).isEqualTo(Sse.NONE);
        assertThat(settings.checksums()).isEqualTo(Checksums.WHEN_SUPPORTED);
    }

    @Test
    void anEndpointOfItsOwnChangesTheDefaults() {
        S3Settings settings = bucket("s3://b/some/prefix/?endpoint=http://127.0.0.1:9000", Map.of());
        assertThat(settings.prefix()).isEqualTo("some/prefix/");
        assertThat(settings.endpoint()).isEqualTo(URI.create("http://127.0.0.1:9000"));
        assertThat(settings.region()).isEqualTo("us-east-1");
        assertThat(settings.pathStyle()).isTrue();
        assertThat(settings.checksums()).isEqualTo(Checksums.WHEN_REQUIRED);
    }

    @Test
    void everySettingMayStandInTheQueryOrBesideIt() {
        S3Settings settings = bucket(
                "s3://b/p?endpoint=https%3A%2F%2Fs3.example.org&region=eu-1&path-style=false&sse=kms&sse-kms-key-id=key/1"
                        + "&checksums=when-supported&multipart-bytes=67108864&part-bytes=8388608&connections=3&gbps=0.5&connect-timeout-ms=100",
                Map.of(
                        "access-key-id",
                        "me",
                        "secret-access-key",
                        "se+cr/et=",
                        "session-token",
                        "t",
                        "region",
                        "eu-2"));
        assertThat(settings)
                .isEqualTo(new S3Settings(
                        "b",
                        "p/",
                        URI.create("https://s3.example.org"),
                        "eu-2",
                        false,
                        "me",
                        "se+cr/et=",
                        "t",
                        Sse.KMS,
                        "key/1",
                        Checksums.WHEN_SUPPORTED,
                        67108864,
                        8388608,
                        3,
                        0.5,
                        100));
        assertThat(settings.toString()).doesNotContain("se+cr").contains("s3://b/p/");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/var/lib                              | must begin with file:///DIR or s3://",
                "http://host/x                         | must begin with file:///DIR or s3://",
                "file://host/dir                       | must name an absolute directory",
                "file:relative                         | must name an absolute directory",
                "file:///                              | must name an absolute directory",
                "file:///d?endpoint=x                  | a directory has no settings",
                "s3:///prefix                          | must name a bucket",
                "s3://b?endpiont=http://x              | unknown setting 'endpiont', known are access-key-id",
                "s3://b?path-style=yes                 | neither true nor false",
                "s3://b?sse=aes                        | 'aes' is none of none, s3, kms",
                "s3://b?sse-kms-key-id=k               | needs sse=kms",
                "s3://b?access-key-id=me               | give both or neither",
                "s3://b?connections=many               | 'many' is not a number",
                "s3://b?gbps=fast                      | 'fast' is not a number",
                "s3://b?region                         | is not key=value",
                "s3://b?endpoint=http://               | is not http(s)://HOST:PORT",
                "s3://b?part-bytes=100                 | at least 5 MiB",
                "s3://b c                              | is not a URI",
            })
    void aMistakeIsNamed(String uri, String message) {
        assertThatThrownBy(() -> ObjectStores.validate(uri, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aSecretInTheQueryIsNotInTheMessage() {
        assertThatThrownBy(() -> ObjectStores.validate("s3://b?secret-access-key=hush&oops=1", Map.of()))
                .hasMessageContaining("oops")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("hush"));
    }

    @Test
    void openingDoesNotTouchTheStore() {
        assertThatCode(() -> ObjectStores.bare("s3://b?endpoint=http://127.0.0.1:1", Map.of())
                        .close())
                .doesNotThrowAnyException();
        assertThatCode(() -> ObjectStores.bare("file:///proc/cannot/be/made", Map.of())
                        .close())
                .doesNotThrowAnyException();
    }

    private static S3Settings bucket(String uri, Map<String, String> settings) {
        return ((StoreUri.Bucket) StoreUri.parse(uri, settings)).settings();
    }
}
