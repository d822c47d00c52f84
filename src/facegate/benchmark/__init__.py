"""Latency, memory and throughput on the machine at hand."""
