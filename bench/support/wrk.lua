-- Says what was measured as one line of JSON. The method and the secret come by environment: an
-- Authorization header among the arguments would be visible to everybody on the machine.
wrk.method = os.getenv("BENCH_METHOD") or "GET"
local authorization = os.getenv("BENCH_AUTHORIZATION")
if authorization then
    wrk.headers["Authorization"] = authorization
end
-- Without it, some registries answer with an old format.
wrk.headers["Accept"] = table.concat({
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "*/*"}, ", ")

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nBENCH {"requests":%d,"seconds":%f,"bytes":%d,"failed":%d,"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d}\n',
        summary.requests, summary.duration / 1e6, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
