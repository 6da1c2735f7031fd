"""Records how the pairs were made: `provenance/pairs.json`, for runs that end with the data set.

It has the jobs that contributed to the pairs with the digests of their files, as jobs.json has them
for a whole run, the programs that they used, and the part of the config that they follow.
"""

from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.provenance.jobs import RECORDS, record
from scripts.provenance.outcomes import compilers
from scripts.provenance.snakemake_records import closure, jobs_of
from scripts.provenance.tools import tools

if __name__ == "__main__":
    with job() as snakemake:
        params, results = snakemake.params, snakemake.config["results_dir"]
        content = record(closure(list(snakemake.input), jobs_of(RECORDS), results), results, snakemake.threads)
        compiled = compilers(dict(zip(params.config["languages"], snakemake.input.ledgers, strict=True)))
        content["tools"] = tools(compiled, params.rules, params.deployment, params.snakemake)
        write_json(snakemake.output[0], content | {"config": dict(params.config)})
