-- Where a commit is found, where that is no branch of the repository.
alter table commit_builds add column reference text;
-- The repository that it comes from, where that is another one.
alter table commit_builds add column fork text;
-- It waits for somebody to approve it, for this reason.
alter table commit_builds add column held text;
-- What became of that.
alter table commit_builds add column note text;
