/** Objects in a bucket of S3 or a server that speaks its protocol. The only package that knows the AWS SDK. */
@NullMarked
package io.catchment.objectstore.s3;

import org.jspecify.annotations.NullMarked;
