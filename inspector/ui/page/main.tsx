// Where the page begins.
import { render } from 'preact'
import './style/base.css'
import './style/lists.css'
import './style/detail.css'
import { connect } from './model/feed.ts'
import { App } from './view/app.tsx'

connect()
render(<App />, document.getElementById('app')!)
