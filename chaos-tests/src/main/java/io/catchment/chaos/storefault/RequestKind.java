package io.catchment.chaos.storefault;

/** What a request asks an S3 server for. */
public enum RequestKind {
    /** Also a part of an upload, its beginning and its completion. */
    PUT,
    GET,
    HEAD,
    /** Of one object, or of many in one POST. */
    DELETE,
    LIST;

    /** By method and target, path style: {@code /bucket/key?query}. */
    static RequestKind of(String method, String target) {
        int question = target.indexOf('?');
        String path = question < 0 ? target : target.substring(0, question);
        String query = question < 0 ? "" : target.substring(question + 1);
        return switch (method) {
            case "HEAD" -> HEAD;
            case "DELETE" -> DELETE;
            case "GET" -> path.indexOf('/', 1) < 0 || path.indexOf('/', 1) == path.length() - 1 ? LIST : GET;
            case "POST" ->
                query.equals("delete") || query.startsWith("delete=") || query.startsWith("delete&") ? DELETE : PUT;
            default -> PUT;
        };
    }
}
