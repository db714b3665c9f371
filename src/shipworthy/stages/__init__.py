"""One file, one stage; `shipworthy.pipelines` puts them in order."""
