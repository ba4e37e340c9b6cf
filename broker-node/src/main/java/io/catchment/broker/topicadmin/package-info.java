/** Creating, deleting and growing topics: the requests, and topics that are created because somebody uses them. */
@NullMarked
package io.catchment.broker.topicadmin;

import org.jspecify.annotations.NullMarked;
