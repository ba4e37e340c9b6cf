package io.catchment.broker.group.api;

import java.util.stream.Collectors;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.security.authorizer.AclEntry;

/** What everybody may do with a group as long as there is no authorizer: everything, as a bit field of operation codes. */
final class GroupOperations {
    static final int ALL = Utils.to32BitField(AclEntry.supportedOperations(ResourceType.GROUP).stream()
            .map(AclOperation::code)
            .collect(Collectors.toSet()));

    private GroupOperations() {}
}
