package io.catchment.controlplane;

/** @param name the listener's name, as in Kafka */
public record Endpoint(String name, String host, int port) {}
