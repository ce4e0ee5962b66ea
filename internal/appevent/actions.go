package appevent

// WorkflowRun is a run of GitHub Actions that was asked for, began or ended.
type WorkflowRun struct {
	Common
	Run *OfWorkflow `json:"workflow_run"`
}

// OfWorkflow is a run.
type OfWorkflow struct {
	ID         int64       `json:"id"`
	Name       string      `json:"name"`
	Path       string      `json:"path"`  // of the workflow's file, perhaps with "@REF" behind; "" of older servers
	Event      string      `json:"event"` // that made it: "push", "workflow_dispatch"
	Status     string      `json:"status"`
	Conclusion string      `json:"conclusion"` // "" while there is none
	HeadBranch string      `json:"head_branch"`
	HeadSHA    string      `json:"head_sha"`
	Number     int64       `json:"run_number"`
	Attempt    int64       `json:"run_attempt"`
	WorkflowID int64       `json:"workflow_id"`
	Actor      *Account    `json:"actor"`
	Triggering *Account    `json:"triggering_actor"`
	Started    Time        `json:"run_started_at"`
	Created    Time        `json:"created_at"`
	Updated    Time        `json:"updated_at"`
	Head       *Repository `json:"head_repository"` // a fork's, perhaps
	Pulls      []PullOf    `json:"pull_requests"`
	URL        string      `json:"html_url"`
}

func (e *WorkflowRun) check(c *checker) {
	c.action(&e.Common)
	if e.Run == nil {
		c.fail("no workflow_run")
		return
	}
	c.id("workflow_run", e.Run.ID)
	c.commit("workflow_run", e.Run.HeadSHA)
	if e.Run.Head != nil {
		c.repository("head_repository", e.Run.Head)
	}
	c.pulls(e.Run.Pulls)
}

// WorkflowJob is a job of a run that was queued, began or ended.
type WorkflowJob struct {
	Common
	Job *Job `json:"workflow_job"`
}

// Job is a job of a run.
type Job struct {
	ID          int64    `json:"id"`
	RunID       int64    `json:"run_id"`
	Attempt     int64    `json:"run_attempt"`
	Name        string   `json:"name"`
	Workflow    string   `json:"workflow_name"`
	Status      string   `json:"status"`
	Conclusion  string   `json:"conclusion"`
	HeadBranch  string   `json:"head_branch"`
	HeadSHA     string   `json:"head_sha"`
	Labels      []string `json:"labels"`
	RunnerID    int64    `json:"runner_id"`
	Runner      string   `json:"runner_name"`
	RunnerGroup string   `json:"runner_group_name"`
	Started     Time     `json:"started_at"`
	Completed   Time     `json:"completed_at"`
}

func (e *WorkflowJob) check(c *checker) {
	c.action(&e.Common)
	if e.Job == nil {
		c.fail("no workflow_job")
		return
	}
	c.id("workflow_job", e.Job.ID)
	c.id("run_id", e.Job.RunID)
	c.commit("workflow_job", e.Job.HeadSHA)
}

// DeploymentProtectionRule is a deployment that waits for our word.
type DeploymentProtectionRule struct {
	Common
	Environment string `json:"environment"`
	Event       string `json:"event"`
	SHA         string `json:"sha"`
	Ref         string `json:"ref"`
	Callback    string `json:"deployment_callback_url"` // not to be followed: it is made of the run's number
	Deployment  *struct {
		ID  int64  `json:"id"`
		SHA string `json:"sha"`
		Ref string `json:"ref"`
	} `json:"deployment"`
}

func (e *DeploymentProtectionRule) check(c *checker) {
	c.needs(&e.Common)
	if e.Environment == "" {
		c.fail("no environment")
	}
	if e.Deployment == nil {
		c.fail("no deployment")
		return
	}
	c.id("deployment", e.Deployment.ID)
	c.commit("deployment", e.Deployment.SHA)
	if e.SHA != "" {
		c.commit("sha", e.SHA)
	}
}
